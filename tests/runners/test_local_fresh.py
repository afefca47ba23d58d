"""Finished work that is to be ignored: put aside when its stage has ended, in force until then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from synth_dspy.errors import StageError
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.stages.engine import Stopped
from tests.runners.numbers import Doing, Number, plus_one, run, runner


def test_a_fresh_stage_puts_its_old_journal_aside(tmp_path: Path) -> None:
    run(tmp_path, [Doing(plus_one)], range(3))
    engine, stage = runner(tmp_path, fresh=frozenset({"doing"})), Doing(plus_one)
    asyncio.run(engine.run_maps([stage], [Number(v) for v in range(3)]))
    engine.bench.close()
    assert stage.asked.total() == 3
    assert len(list((tmp_path / "done").glob("*.old"))) == 1


def test_ignored_work_stays_in_force_until_the_stage_has_ended(tmp_path: Path) -> None:
    run(tmp_path, [Doing(plus_one)], range(9))

    def ten_times_until_it_breaks(value: int) -> Outcome:
        if value == 6:
            raise StageError("it broke")
        return Kept((Number(10 * value),))

    engine = runner(tmp_path, fresh=frozenset({"doing"}))
    broken = Doing(ten_times_until_it_breaks, concurrency=1)
    with pytest.raises(StageError):
        asyncio.run(engine.run_maps([broken], [Number(v) for v in range(9)]))
    engine.bench.close()
    again = Doing(plus_one)
    assert run(tmp_path, [again], range(9)) == list(range(1, 10))
    assert again.asked.total() == 0


def test_a_stop_leaves_the_work_that_was_to_be_ignored_as_it_was(tmp_path: Path) -> None:
    run(tmp_path, [Doing(plus_one)], range(9))
    files = {path: path.read_bytes() for path in (tmp_path / "done").iterdir()}
    engine = runner(tmp_path, fresh=frozenset({"doing"}))

    def stops(value: int) -> Outcome:
        engine.stop("enough")
        return plus_one(value)

    with pytest.raises(Stopped):
        asyncio.run(engine.run_maps([Doing(stops)], [Number(v) for v in range(9)]))
    engine.bench.close()
    assert {path: path.read_bytes() for path in files} == files
