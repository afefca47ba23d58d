"""The local engine, on stages made for the purpose: order, counts, resume, barriers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.errors import DocumentError, StageError, StoreError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.stages.results import Outputs, outputs, results
from synth_dspy.store.run_directory import RunDirectory
from tests.runners.numbers import Doing, Number, Then, plus_one, run, runner, summary

Read = Callable[[RunDirectory, type[Doing]], Iterable[object]]


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


def test_outputs_are_read_one_at_a_time_and_their_number_from_the_summary(tmp_path: Path) -> None:
    run(tmp_path, [Doing(plus_one)], [1, 2, 3])
    journal = tmp_path / "done" / "journal.jsonl"
    first, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + b"".join(line.replace(b"outputs", b"outputz") for line in others))
    found = Outputs(RunDirectory(tmp_path), Doing)
    assert (len(found), next(iter(found))) == (3, Number(2))
    with pytest.raises(StoreError, match="damaged in line 2"):
        list(found)


@pytest.mark.parametrize("read", [Outputs, results])
def test_a_stage_that_never_ran_says_which_to_run(tmp_path: Path, read: Read) -> None:
    with pytest.raises(StageError, match=r"`doing` has not run in .*Run .* doing` first"):
        list(read(RunDirectory(tmp_path), Doing))
