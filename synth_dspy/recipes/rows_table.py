"""Accepted rows, read from their file, and as a table of a screen's width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from synth_dspy.store.run_directory import read_jsonl

_TABLE_CHARS = 118


def table_of(values: Sequence[dict[str, Any]], fields: Sequence[str]) -> Iterator[str]:
    """Rows as a table of a screen's width, long texts cut."""
    width = max(8, _TABLE_CHARS // len(fields) - 2)

    def cut(value: object) -> str:
        text = "" if value is None else " ".join(str(value).split())
        return text if len(text) <= width else f"{text[: width - 1]}…"

    lines = [[cut(name) for name in fields]]
    lines += [[cut(row.get(name)) for name in fields] for row in values]
    widths = [max(len(line[at]) for line in lines) for at in range(len(fields))]
    lines.insert(1, ["-" * size for size in widths])
    for line in lines:
        yield "  ".join(text.ljust(size) for text, size in zip(line, widths, strict=True)).rstrip()


class RowFile(Sequence[Any]):
    """The accepted rows, read from their file when they are gone through."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return read_jsonl(self._path)

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]
