"""What a run tells while it works: bars on a terminal, and one closing line a stage everywhere.

Counts enter, lines leave, for people or as JSON; nothing is decided here.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome, Tally
from synth_dspy.terminal import spelled_json

_SHOWN_REASONS = 4


class Reporter:
    """Bars and lines on a console; on something that is no terminal only the lines.

    Args:
        quiet: errors only.
        as_json: a JSON object a line, for log collectors; no bars.
    """

    def __init__(self, console: Console, *, quiet: bool = False, as_json: bool = False) -> None:
        self.console = console
        self._quiet = quiet
        self._as_json = as_json
        columns = (
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        live = console.is_terminal and not quiet and not as_json
        self._bars = Progress(*columns, console=console, transient=True, disable=not live)
        self._tasks: dict[str, TaskID] = {}
        self._counts: dict[str, list[int]] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """A line for the user."""
        if self._as_json:
            if text:
                self._write({"event": "message", "message": text})
        elif not self._quiet:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _write(self, event: dict[str, Any]) -> None:
        if not self._quiet:
            line = spelled_json(orjson.dumps({"time": time.time(), **event}).decode())
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def start(self, stage: str, total: int | None) -> None:
        """Show a bar for a stage; None for a total that is not known yet."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, counts="")
            self._counts[stage] = [0, 0, 0]
        else:
            self._bars.update(self._tasks[stage], total=total)

    def advance(self, stage: str, outcome: Outcome) -> None:
        """One more record of a stage is done."""
        counts = self._counts[stage]
        counts[0] += isinstance(outcome, Kept)
        counts[1] += isinstance(outcome, Dropped)
        counts[2] += isinstance(outcome, Failed)
        if not self._bars.disable:
            text = f"{counts[0]} kept, {counts[1]} dropped" + (
                f", {counts[2]} failed" if counts[2] else ""
            )
            self._bars.update(self._tasks[stage], advance=1, counts=text)

    def show(self, stage: str, completed: int, text: str) -> None:
        """Set a bar to a number of its own, with words beside it."""
        if not self._bars.disable:
            self._bars.update(self._tasks[stage], completed=completed, counts=text)

    def drop(self, stage: str) -> None:
        """Take a bar away without a line."""
        if (task := self._tasks.pop(stage, None)) is not None:
            self._bars.remove_task(task)

    def finish(self, tally: Tally, unit: str) -> None:
        """Replace a stage's bar by its closing line."""
        self.drop(tally.stage)
        if self._as_json:
            self._write({"event": "stage", **tally.summary()})
        else:
            self.say(closing_line(tally, unit))


def closing_line(tally: Tally, unit: str) -> str:
    """One line that says all of a stage: in, kept, dropped by reason, calls, tokens, cost, time."""
    new = tally.taken - tally.cached
    parts = [
        f"{tally.stage:<18}",
        f"{tally.taken} {unit} in",
        f"{tally.kept} kept" + (f" as {tally.outputs}" if tally.outputs != tally.kept else ""),
        f"{tally.total_dropped} dropped" + _reasons(tally.dropped),
        f"{tally.failed} failed" + _reasons(tally.failures),
        f"{new} new, {tally.cached} cached",
        f"{tally.llm_calls} calls, {tally.tokens} tokens, ${tally.cost_usd:.4f}",
        f"{tally.seconds:.1f} s",
    ]
    return parts[0] + " " + " | ".join(parts[1:])


def _reasons(reasons: dict[str, int]) -> str:
    if not reasons:
        return ""
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{name} {count}" for name, count in ranked[:_SHOWN_REASONS]]
    if len(ranked) > _SHOWN_REASONS:
        shown.append(f"{len(ranked) - _SHOWN_REASONS} more")
    return " (" + ", ".join(shown) + ")"
