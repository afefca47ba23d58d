"""Waves: in order whatever the timing, exact after a stop, and known to who only looks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.runners.foretelling import ForetellingEngine
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.waves import Waves
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.contract import MapStage
from synth_dspy.stages.engine import Stopped
from synth_dspy.store.run_directory import RunDirectory, read_json


@dataclass(frozen=True, slots=True)
class Number:
    value: int


class Twice(MapStage[Number, Number]):
    name, folder, unit = "twice", "twice", "numbers"
    output_type: ClassVar[type[Number]] = Number

    def __init__(self, concurrency: int = 1) -> None:
        self.concurrency = concurrency
        self.seen: list[int] = []
        self.runner: LocalRunner | None = None
        self.stop_at = -1

    def settings(self) -> object:
        return None

    async def process(self, record: Number) -> Outcome:
        await asyncio.sleep(random.random() / 200)
        self.seen.append(record.value)
        if record.value == self.stop_at and self.runner is not None:
            self.runner.stop("enough")
        return Kept((record, Number(record.value + 1000)))


class Even(MapStage[Number, Number]):
    name, folder, unit = "even", "even", "numbers"
    output_type: ClassVar[type[Number]] = Number
    concurrency = 3

    def settings(self) -> object:
        return None

    async def process(self, record: Number) -> Outcome:
        return Dropped("odd") if record.value % 2 else Kept((record,))


def steered(
    rounds: int, told: list[list[list[Number]]]
) -> Generator[Sequence[Number], list[list[Number]], None]:
    """Three numbers a wave, the first one made of what the wave before came to."""
    start = 0
    for _ in range(rounds):
        came = yield [Number(start), Number(start + 1), Number(start + 2)]
        told.append(came)
        start += 3 + sum(map(len, came))


def runner(path: Path) -> LocalRunner:
    return LocalRunner(
        Workbench(RunDirectory(path)), Reporter(Console(file=StringIO()), quiet=True)
    )


def run(
    engine: LocalRunner | ForetellingEngine,
    stages: Sequence[MapStage[Number, Number]],
    waves: Waves,
) -> None:
    asyncio.run(engine.run_waves(stages, waves))


def test_what_a_wave_came_to_is_told_in_its_order(tmp_path: Path) -> None:
    told: list[list[list[Number]]] = []
    run(runner(tmp_path), [Twice(3), Even()], steered(2, told))
    assert told[0] == [[Number(0), Number(1000)], [], [Number(2), Number(1002)]]
    assert told[1] == [[], [Number(8), Number(1008)], []]


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_concurrency_changes_nothing(tmp_path: Path, concurrency: int) -> None:
    told: list[list[list[Number]]] = []
    reference: list[list[list[Number]]] = []
    run(runner(tmp_path / "a"), [Twice(concurrency), Even()], steered(4, told))
    run(runner(tmp_path / "b"), [Twice(1), Even()], steered(4, reference))
    assert told == reference


def test_the_summary_counts_all_waves(tmp_path: Path) -> None:
    run(runner(tmp_path), [Twice(), Even()], steered(3, []))
    summary = read_json(tmp_path / "even" / "summary.json")
    assert summary["in"] == 18
    assert summary["in"] == summary["kept"] + summary["dropped"]["odd"] + summary["failed"]


def test_a_stopped_run_is_told_the_finished_beginning_and_goes_on_to_the_same_end(
    tmp_path: Path,
) -> None:
    first, stage = runner(tmp_path), Twice()
    stage.runner, stage.stop_at = first, 1
    told: list[list[list[Number]]] = []
    with pytest.raises(Stopped, match="enough"):
        run(first, [stage, Even()], steered(3, told))
    assert len(told) == 1
    assert len(told[0]) < 3
    first.bench.close()
    again, whole = Twice(), list[list[list[Number]]]()
    second = runner(tmp_path)
    run(second, [again, Even()], steered(3, whole))
    assert 0 not in again.seen
    reference: list[list[list[Number]]] = []
    run(runner(tmp_path / "other"), [Twice(), Even()], steered(3, reference))
    assert whole == reference


class Wide(Workbench):
    """As one whose workers are many: more at once than the stage asks for."""

    def width(self, stage: MapStage[Number, Number]) -> int:
        return 3 * stage.concurrency


class Counting(Twice):
    now = most = 0

    async def process(self, record: Number) -> Outcome:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await super().process(record)
        finally:
            self.now -= 1


def test_as_many_are_worked_on_as_the_workbench_can_take(tmp_path: Path) -> None:
    stage = Counting(1)
    bench = Wide(RunDirectory(tmp_path))
    engine = LocalRunner(bench, Reporter(Console(file=StringIO()), quiet=True))
    run(engine, [stage], steered(1, []))
    assert stage.most == 3


def test_who_only_looks_sees_a_finished_run_as_finished(tmp_path: Path) -> None:
    done = runner(tmp_path)
    run(done, [Twice(), Even()], steered(3, []))
    done.bench.close()
    engine = ForetellingEngine(Workbench(RunDirectory(tmp_path), looking=True))
    run(engine, [Twice(), Even()], steered(3, []))
    assert [(line.records, line.redo) for line in engine.stages.values()] == [(9, 0), (18, 0)]


def test_who_only_looks_stops_at_the_first_wave_that_would_be_done(tmp_path: Path) -> None:
    engine = ForetellingEngine(Workbench(RunDirectory(tmp_path), looking=True))
    run(engine, [Twice(), Even()], steered(3, []))
    assert engine.stages["twice"].redo == 3
