"""Stages over numbers, and an engine to take them through, for tests of the engine."""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.contract import MapStage
from synth_dspy.store.run_directory import RunDirectory


@dataclass(frozen=True, slots=True)
class Number:
    """What flows here."""

    value: int


Work = Callable[[int], Outcome]


class Doing(MapStage[Number, Number]):
    """A map stage that does what it is told, and counts what it was asked."""

    name, folder = "doing", "done"
    output_type = Number

    def __init__(self, work: Work, *, settings: object = 0, concurrency: int = 4) -> None:
        self.asked: Counter[int] = Counter()
        self.concurrency = concurrency
        self._work, self._settings = work, settings

    def settings(self) -> object:
        return self._settings

    async def process(self, record: Number) -> Outcome:
        self.asked[record.value] += 1
        await asyncio.sleep(0)
        return self._work(record.value)


class Then(Doing):
    """A second stage, with a folder of its own."""

    name, folder = "then", "thereafter"


class Fate(Doing):
    """The only stage of the quota tests: rank to outcome."""

    name, folder = "fate", "fates"


def plus_one(value: int) -> Outcome:
    return Kept((Number(value + 1),))


def runner(path: Path, **options: Any) -> LocalRunner:
    reporter = Reporter(Console(file=io.StringIO()))
    return LocalRunner(Workbench(RunDirectory(path), **options), reporter)


def run(path: Path, stages: Sequence[Doing], values: Sequence[int]) -> list[int]:
    engine = runner(path)
    try:
        made = asyncio.run(engine.run_maps(stages, [Number(v) for v in values]))
    finally:
        engine.bench.close()
    return [number.value for number in made]


def summary(path: Path, folder: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((path / folder / "summary.json").read_text())
    return content
