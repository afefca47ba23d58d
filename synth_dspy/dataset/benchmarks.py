"""The benchmark files that a dataset is checked against.

Paths enter; their items, a hash of their content and what found them leave. A record's prompt is
its first of `prompt, question, text, instruction`, its solution the first of `canonical_solution,
solution, code, answer`, its id the first of `task_id, id, name`.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.dataset.decontaminate import BenchmarkItem, Decontaminator
from synth_dspy.errors import SourceError
from synth_dspy.records import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PROMPTS = ("prompt", "question", "text", "instruction")
_SOLUTIONS = ("canonical_solution", "solution", "code", "answer")
_NAMES = ("task_id", "id", "name")


@dataclass(frozen=True)
class Benchmarks:
    """Benchmark files, read when they are first needed; none of them finds nothing."""

    paths: tuple[Path, ...] = ()

    @cached_property
    def items(self) -> dict[str, list[BenchmarkItem]]:
        """By file name, without its endings, and the folder's name where two files share one.

        Raises:
            SourceError: a file is missing, is not JSON, or a record has no prompt.
        """
        names = [path.name.split(".")[0] for path in self.paths]
        return {
            name: read_benchmark(path, name)
            for path, short in zip(self.paths, names, strict=True)
            for name in (short if names.count(short) == 1 else f"{path.parent.name}/{short}",)
        }

    @cached_property
    def identity(self) -> str:
        """Hash of all items; "" without a file."""
        listed = [
            (i.benchmark, i.id, i.prompt, i.solution) for of in self.items.values() for i in of
        ]
        return digest(listed) if listed else ""

    @cached_property
    def decontaminator(self) -> Decontaminator:
        """What compares with the items of all files."""
        return Decontaminator([item for items in self.items.values() for item in items])


def read_benchmark(path: Path, name: str = "") -> list[BenchmarkItem]:
    """The items of a JSONL file (`.gz` too) or of a JSON array.

    Raises:
        SourceError: the file is missing, is not JSON, or a record has no prompt.
    """
    benchmark = name or path.name.split(".")[0]
    items = []
    for number, record in enumerate(_records(path), start=1):
        prompt = _first(record, _PROMPTS) if isinstance(record, dict) else ""
        if not prompt:
            raise SourceError(
                f"{path}, record {number}: a benchmark's record needs one of {', '.join(_PROMPTS)}."
            )
        items.append(
            BenchmarkItem(
                benchmark,
                _first(record, _NAMES) or str(number),
                prompt,
                _first(record, _SOLUTIONS),
            )
        )
    return items


def _records(path: Path) -> list[Any]:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        if data.lstrip()[:1] == b"[":
            records: list[Any] = orjson.loads(data)
            return records
        return [orjson.loads(line) for line in data.splitlines() if line.strip()]
    except (OSError, EOFError, orjson.JSONDecodeError) as error:
        raise SourceError(
            f"The benchmark {path} (dataset.decontaminate) cannot be read: {error}. It must be "
            "JSONL (may be .gz) or a JSON array."
        ) from error


def _first(record: dict[str, Any], names: Sequence[str]) -> str:
    return next((str(record[name]) for name in names if record.get(name) not in (None, "")), "")
