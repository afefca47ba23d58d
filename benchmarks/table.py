"""Measurements in, a table out: medians, rates, and each row's ratio to its group's first row."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEADER = ("what", "median", "a second", "ratio")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured.

    Attributes:
        seconds: of each repetition.
        amount: how many units one repetition does (verifications, megabytes).
        unit: what `amount` counts, for the rate: `1/s` reads as verifications, `MB/s` as such.
    """

    name: str
    seconds: Sequence[float]
    amount: float = 1.0
    unit: str = "1/s"

    @property
    def median(self) -> float:
        """Seconds of one unit, in the middle of the repetitions."""
        return statistics.median(self.seconds) / self.amount


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are compared with each other; the first is what the others are compared with."""

    title: str
    rows: Sequence[Row]


def render(groups: Sequence[Group]) -> str:
    """A Markdown table; `ratio` is how many times as long as the group's first row it takes."""
    cells: list[tuple[str, ...]] = [HEADER]
    for group in groups:
        cells.append((f"**{group.title}**", "", "", ""))
        for row in group.rows:
            ratio = row.median / group.rows[0].median
            rate = f"{1 / row.median:,.1f} {row.unit}"
            cells.append((row.name, duration(row.median), rate, f"{ratio:.2f}"))
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = [
        "| " + " | ".join(_aligned(line, widths)) + " |" for line in cells
    ]  # fmt: skip
    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines)


def _aligned(line: tuple[str, ...], widths: Sequence[int]) -> list[str]:
    first = line[0].ljust(widths[0])
    return [first, *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]


def duration(seconds: float) -> str:
    """A time with the unit that suits it: `5.3 ms`, `1.20 s`, `41 us`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.0f} us"
