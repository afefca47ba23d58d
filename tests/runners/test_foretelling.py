"""What a run would do, told without doing it: tasks that are taken until quotas are met."""

from __future__ import annotations

import asyncio
from pathlib import Path

from synth_dspy.runners.foretelling import ForetellingEngine, Foretold
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.engine import Engine
from synth_dspy.store.run_directory import RunDirectory
from tests.runners.numbers import Fate, Number, plus_one, runner


def lead(engine: Engine, stage: Fate) -> None:
    """Ten tasks, all good, for three places."""
    asyncio.run(
        engine.run_quota(
            [stage],
            [Number(v) for v in range(10)],
            lambda task: "all",
            {"all": 3},
            lambda rank, number: False,
            concurrency=8,
        )
    )


def foretold(path: Path) -> Foretold:
    bench = Workbench(RunDirectory(path), looking=True)
    engine = ForetellingEngine(bench)
    lead(engine, Fate(plus_one))
    bench.close()
    return engine.stages["fate"]


def test_before_a_run_the_tasks_that_would_fill_the_quotas_are_told_as_the_least(
    tmp_path: Path,
) -> None:
    assert foretold(tmp_path) == Foretold("fate", records=3, redo=3, until_full=True)


def test_after_a_run_nothing_is_left_to_do_whatever_was_in_flight(tmp_path: Path) -> None:
    engine = runner(tmp_path)
    lead(engine, Fate(plus_one))
    engine.bench.close()
    assert foretold(tmp_path) == Foretold("fate", records=3, redo=0, until_full=True)
