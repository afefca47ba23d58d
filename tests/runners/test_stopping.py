"""A run that ends before its end: what every record came through is counted, and nothing lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from synth_dspy.errors import AdmissionError
from synth_dspy.outcomes import Outcome
from synth_dspy.stages.engine import Stopped
from tests.runners.numbers import Doing, Number, Then, plus_one, runner, summary


def take(path: Path, last: Then) -> None:
    """Ten tasks through two stages, one after the other."""
    engine = runner(path)
    try:
        asyncio.run(
            engine.run_quota(
                [Doing(plus_one), last],
                [Number(value) for value in range(10)],
                lambda task: "cell",
                {"cell": 10},
                lambda rank, record: False,
                concurrency=1,
            )
        )
    finally:
        engine.bench.close()


def stopping(value: int) -> Outcome:
    if value >= 3:
        raise AdmissionError("The run is being stopped")
    return plus_one(value)


def test_a_task_that_was_stopped_halfway_counts_where_it_came_through(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="being stopped"):
        take(tmp_path, Then(stopping))
    assert summary(tmp_path, "done")["kept"] == 3
    assert summary(tmp_path, "thereafter")["kept"] == 2


def test_a_task_that_was_stopped_halfway_goes_on_from_there(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        take(tmp_path, Then(stopping))
    last = Then(plus_one)
    take(tmp_path, last)
    assert sorted(last.asked) == list(range(3, 11))
