"""The pieces of Markdown that a card is made of; text nobody vouches for goes through `plain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown, see `plain` for text that is not."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list, one line an entry."""
    return "\n".join(f"- {line}" for line in lines)


def plain(text: str) -> str:
    """Text that can stand in a table's cell and starts no markup."""
    flat = " ".join(text.split())
    for mark in "\\|<>[]`":
        flat = flat.replace(mark, f"\\{mark}")
    return flat


def code_span(text: str) -> str:
    """Text as code, in one line."""
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", "\\|") + "`"


def percent(part: int, whole: int) -> str:
    """`part` of `whole` with one decimal; "" of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else ""
