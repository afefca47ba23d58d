"""The local engine, on stages made for the purpose: order, resume, failures, stops, barriers."""

from __future__ import annotations

import asyncio
import gc
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from sandbox import SandboxError
from synth_dspy.errors import (
    BudgetExceededError,
    DocumentError,
    SetupError,
    StageError,
    StoreError,
)
from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome
from synth_dspy.runners.local import LocalRunner
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.workbench import ENDPOINT_DOWN, GIVEN_UP_AFTER, TRIES_A_RUN, Workbench
from synth_dspy.stages.contract import BarrierStage, MapStage
from synth_dspy.stages.engine import Stopped
from synth_dspy.stages.results import outputs, results
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


class Summing(BarrierStage[Number, Number]):
    """A barrier that counts how often it ran."""

    name, folder = "summing", "sums"
    output_type = Number
    runs: ClassVar[int] = 0

    def settings(self) -> object:
        return ()

    def run(self, records: Sequence[Number]) -> Sequence[Outcome]:
        type(self).runs += 1
        return [Kept((Number(record.value + 100),)) for record in records]


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


def test_records_come_out_in_the_order_of_the_input(tmp_path: Path) -> None:
    assert run(tmp_path, [Doing(plus_one), Then(plus_one)], range(200)) == list(range(2, 202))


def test_a_fan_out_stays_together_and_in_order(tmp_path: Path) -> None:
    fan = Doing(lambda v: Kept(tuple(Number(10 * v + i) for i in range(3))))
    assert run(tmp_path, [fan, Then(plus_one)], [2, 1]) == [21, 22, 23, 11, 12, 13]


def test_a_second_run_asks_nothing_and_a_new_setting_everything(tmp_path: Path) -> None:
    first, second, third = Doing(plus_one), Doing(plus_one), Doing(plus_one, settings=1)
    assert run(tmp_path, [first], range(9)) == run(tmp_path, [second], range(9))
    assert (first.asked.total(), second.asked.total()) == (9, 0)
    run(tmp_path, [third], range(9))
    assert third.asked.total() == 9


def test_a_journal_that_is_taken_away_during_a_run_is_named(tmp_path: Path) -> None:
    engine = runner(tmp_path)
    made = asyncio.run(engine.run_maps([Doing(plus_one)], [Number(1)]))
    engine.bench.close()
    (tmp_path / "done" / "journal.jsonl").unlink()
    with pytest.raises(StoreError, match="no longer holds what `doing` finished"):
        list(made)
    engine.bench.close()


def test_an_equal_output_stops_the_rebuild(tmp_path: Path) -> None:
    run(tmp_path, [Doing(plus_one), Then(plus_one)], range(5))
    later = Then(plus_one)
    run(tmp_path, [Doing(plus_one, settings="changed"), later], range(5))
    assert later.asked.total() == 0


@given(
    fates=st.lists(st.sampled_from(["keep", "drop", "fail", "bug"]), max_size=30),
    concurrency=st.integers(1, 8),
)
@settings(max_examples=30, deadline=None)
def test_in_is_kept_plus_dropped_plus_failed(
    tmp_path_factory: pytest.TempPathFactory, fates: list[str], concurrency: int
) -> None:
    path = tmp_path_factory.mktemp("run")

    def work(value: int) -> Outcome:
        if fates[value] == "drop":
            return Dropped("odd")
        if fates[value] == "fail":
            raise DocumentError("unreadable", "no")
        if fates[value] == "bug":
            raise ZeroDivisionError
        return plus_one(value)

    made = run(path, [Doing(work, concurrency=concurrency)], range(len(fates)))
    found = summary(path, "done")
    assert (
        found["in"]
        == len(fates)
        == found["kept"] + sum(found["dropped"].values()) + found["failed"]
    )
    assert len(made) == fates.count("keep") == found["out"]
    wanted = {"unreadable": fates.count("fail"), "internal_error": fates.count("bug")}
    assert found["failures"] == {k: n for k, n in wanted.items() if n}


def test_only_a_retryable_failure_is_tried_again(tmp_path: Path) -> None:
    def work(value: int) -> Outcome:
        raise DocumentError("timeout" if value else "unreadable", retryable=bool(value))

    run(tmp_path, [Doing(work)], [0, 1])
    again = Doing(plus_one)
    assert run(tmp_path, [again], [0, 1]) == [2]
    assert again.asked == {1: 1}


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


def test_a_barrier_runs_again_only_when_its_input_changed(tmp_path: Path) -> None:
    Summing.runs = 0
    for values, runs in (([1, 2], 1), ([2, 1], 1), ([1, 2, 3], 2)):
        engine = runner(tmp_path)
        made = engine.run_barrier(Summing(), [Number(v) for v in values])
        engine.bench.close()
        assert sorted(number.value for number in made) == sorted(v + 100 for v in values)
        assert Summing.runs == runs


def test_results_are_those_of_the_present_input_only(tmp_path: Path) -> None:
    run(tmp_path, [Doing(plus_one)], [1, 2, 3])
    run(tmp_path, [Doing(plus_one)], [3, 1])
    assert [n.value for n in outputs(RunDirectory(tmp_path), Doing)] == [4, 2]


def test_a_stage_that_never_ran_says_which_to_run(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"`doing` has not run in .*Run .* doing` first"):
        list(results(RunDirectory(tmp_path), Doing))


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


def _timeout() -> Outcome:
    raise DocumentError("timeout", retryable=True)


class Fate(Doing):
    """The only stage of the quota tests: rank to outcome."""

    name, folder = "fate", "fates"


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_quotas_take_the_same_tasks_whatever_the_concurrency(
    tmp_path: Path, concurrency: int
) -> None:
    def work(value: int) -> Outcome:
        return Kept((Number(value),)) if value % 3 else Dropped("thrice")

    committed: list[int] = []

    def leaves_out_four(_: int, number: Number) -> bool:
        committed.append(number.value)
        return number.value == 4

    engine = runner(tmp_path)
    quota = asyncio.run(
        engine.run_quota(
            [Fate(work)],
            [Number(v) for v in range(60)],
            lambda task: task.value % 2,
            {0: 6, 1: 4},
            leaves_out_four,
            concurrency=concurrency,
        )
    )
    engine.bench.close()
    assert quota.complete
    assert [v for v in committed if v % 2] == [1, 5, 7, 11]
    assert [v for v in committed if not v % 2] == [2, 4, 8, 10, 14, 16, 20]
    listed = (tmp_path / "fates" / "journal.keys").read_text().split()
    assert len(listed) == len(quota.decided)


def test_a_shortage_says_why_by_cell(tmp_path: Path) -> None:
    engine = runner(tmp_path)
    quota = asyncio.run(
        engine.run_quota(
            [Fate(lambda v: Dropped("weak_test") if v < 3 else plus_one(v))],
            [Number(v) for v in range(4)],
            lambda task: "all",
            {"all": 3},
            lambda rank, number: False,
            concurrency=2,
        )
    )
    engine.bench.close()
    assert not quota.complete
    assert engine.rejections["all"] == {"fate: weak_test": 3}
