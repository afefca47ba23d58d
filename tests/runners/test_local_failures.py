"""The local engine when something fails: what is tried again, what ends a run, what is kept."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from sandbox import SandboxError
from synth_dspy.errors import BudgetExceededError, DocumentError, SetupError, StageError, StoreError
from synth_dspy.outcomes import Failed, Outcome
from synth_dspy.runners.workbench import ENDPOINT_DOWN, GIVEN_UP_AFTER, TRIES_A_RUN
from synth_dspy.stages.engine import Stopped
from tests.runners.numbers import Doing, Fate, Number, Then, plus_one, run, runner, summary


def _timeout() -> Outcome:
    raise DocumentError("timeout", retryable=True)


def test_only_a_retryable_failure_is_tried_again(tmp_path: Path) -> None:
    def work(value: int) -> Outcome:
        raise DocumentError("timeout" if value else "unreadable", retryable=bool(value))

    run(tmp_path, [Doing(work)], [0, 1])
    again = Doing(plus_one)
    assert run(tmp_path, [again], [0, 1]) == [2]
    assert again.asked == {1: 1}


def test_a_failure_that_may_pass_is_tried_again_at_once(tmp_path: Path) -> None:
    stage = Doing(lambda v: plus_one(v) if stage.asked[v] == TRIES_A_RUN else _timeout())
    assert run(tmp_path, [stage], [1]) == [2]
    assert stage.asked == {1: TRIES_A_RUN}


def test_a_failure_is_given_up_after_a_number_of_tries_until_it_is_started_over(
    tmp_path: Path,
) -> None:
    tried = []
    for _ in range(5):
        stage = Doing(lambda v: _timeout())
        run(tmp_path, [stage], [1])
        tried.append(stage.asked.total())
    assert tried == [3, 3, 3, 0, 0]
    engine, healthy = runner(tmp_path, retry_failed=True), Doing(plus_one)
    made = asyncio.run(engine.run_maps([healthy], [Number(1)]))
    assert [number.value for number in made] == [2]
    engine.bench.close()


def test_an_endpoint_that_is_away_costs_a_record_none_of_its_tries(tmp_path: Path) -> None:
    for _ in range(GIVEN_UP_AFTER + 1):
        away = Doing(lambda v: Failed(ENDPOINT_DOWN, "no answer", retryable=True))
        with pytest.raises(Stopped):
            run(tmp_path, [away], [1])
        assert away.asked == {1: 1}
    assert run(tmp_path, [Doing(plus_one)], [1]) == [2]


def test_a_budget_stops_the_run_and_what_was_made_is_kept(tmp_path: Path) -> None:
    def work(value: int) -> Outcome:
        if value >= 5:
            raise BudgetExceededError("max_cost_usd is reached")
        return plus_one(value)

    with pytest.raises(Stopped, match="max_cost_usd is reached"):
        run(tmp_path, [Doing(work, concurrency=1), Then(plus_one)], range(100))
    assert summary(tmp_path, "thereafter")["kept"] == 5
    again = Doing(plus_one)
    assert run(tmp_path, [again, Then(plus_one)], range(100)) == list(range(2, 102))
    assert again.asked.total() == 95


@pytest.mark.parametrize("error", [StageError("no"), SandboxError("it broke")])
def test_what_nobody_can_go_on_after_ends_the_run_with_one_error(
    tmp_path: Path, error: Exception
) -> None:
    def work(value: int) -> Outcome:
        if value == 7:
            raise error
        return plus_one(value)

    with pytest.raises((StageError, SetupError), match=str(error)):
        run(tmp_path, [Doing(work), Then(plus_one)], range(500))
    again = Doing(plus_one)
    run(tmp_path, [again], range(7))
    assert again.asked.total() == 0


def test_a_disk_that_fills_up_ends_the_run_after_what_is_in_flight(tmp_path: Path) -> None:
    engine = runner(tmp_path)

    def last(value: int) -> Outcome:
        if value == 5:
            engine.bench._syncer.fault = "Only 3 MiB are left"
        return plus_one(value)

    with pytest.raises(StoreError, match="Only 3 MiB are left"):
        asyncio.run(engine.run_maps([Doing(last, concurrency=2)], [Number(v) for v in range(50)]))
    engine.bench.close()
    assert 6 <= summary(tmp_path, "done")["kept"] <= 7
    assert run(tmp_path, [Doing(plus_one)], range(50)) == list(range(1, 51))


def test_several_errors_at_once_are_all_seen_and_the_first_is_raised(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fates").mkdir()
    (tmp_path / "fates" / "journal.jsonl").write_text("garbage\n")
    engine = runner(tmp_path)
    with pytest.raises(StoreError, match="damaged in line 1"):
        asyncio.run(
            engine.run_quota(
                [Fate(plus_one)],
                [Number(v) for v in range(8)],
                lambda task: "all",
                {"all": 8},
                lambda rank, number: False,
                concurrency=4,
            )
        )
    engine.bench.close()
    gc.collect()
    assert "never retrieved" not in capfd.readouterr().err
