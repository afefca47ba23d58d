"""Tasks through the local engine until quotas are met: which are taken, and what is told."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.lm import meter
from synth_dspy.outcomes import Dropped, Kept, Mark, Outcome, Tally
from tests.runners.numbers import Fate, Number, plus_one, runner, summary


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


class Paying(Fate):
    """One call to a model a record."""

    async def process(self, record: Number) -> Outcome:
        metered = meter.current.get()
        assert metered is not None
        metered.calls += 1
        metered.cost_usd += 0.25
        return await super().process(record)


def fill_three_places(path: Path, stage: Fate) -> None:
    """Eight tasks may be in flight, all are good, and the quota is three."""
    engine = runner(path)
    asyncio.run(
        engine.run_quota(
            [stage],
            [Number(v) for v in range(60)],
            lambda task: "all",
            {"all": 3},
            lambda rank, number: False,
            concurrency=8,
        )
    )
    engine.bench.close()


def test_calls_for_tasks_beyond_the_quotas_are_told_as_paid(tmp_path: Path) -> None:
    stage = Paying(plus_one)
    fill_three_places(tmp_path, stage)
    found, begun = summary(tmp_path, "fates"), stage.asked.total()
    assert begun > 3
    assert (found["llm_calls"], found["cost_usd"]) == (begun, 0.25 * begun)
    assert found["beyond"] == {
        "records": begun - 3, "llm_calls": begun - 3, "tokens": 0, "cost_usd": 0.25 * (begun - 3),
    }  # fmt: skip


def test_what_the_dataset_took_is_told_apart_from_tasks_beyond_it(tmp_path: Path) -> None:
    fill_three_places(tmp_path, Paying(plus_one))
    found = summary(tmp_path, "fates")
    assert (found["in"], found["total"]["llm_calls"]) == (3, 3)


def test_a_task_beyond_the_quotas_that_a_run_before_paid_for_costs_nothing() -> None:
    tally = Tally("fate")
    tally.add_beyond(Mark("0" * 32, "kept", "", 1, cached=True, calls=3, tokens=9, cost_usd=0.25))
    assert (tally.beyond, tally.llm_calls, tally.beyond_calls) == (1, 0, 0)


@given(seed=st.integers(0, 2**32), concurrency=st.sampled_from([1, 4, 16, 64]))
@settings(max_examples=25, deadline=None)
def test_a_run_that_met_its_quotas_asks_nothing_when_it_is_repeated(
    tmp_path_factory: pytest.TempPathFactory, seed: int, concurrency: int
) -> None:
    path, chance = tmp_path_factory.mktemp("run"), random.Random(seed)
    good = [chance.random() < 0.4 for _ in range(400)]

    class Wavering(Fate):
        """Ends in any order."""

        async def process(self, record: Number) -> Outcome:
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            return await super().process(record)

    def once() -> int:
        stage = Wavering(lambda v: Kept((Number(v),)) if good[v] else Dropped("bad"))
        engine = runner(path)
        quota = asyncio.run(
            engine.run_quota(
                [stage],
                [Number(v) for v in range(len(good))],
                lambda task: task.value % 4,
                {0: 12, 1: 9, 2: 6, 3: 3},
                lambda rank, number: number.value % 5 == 0,
                concurrency=concurrency,
            )
        )
        engine.bench.close()
        assert quota.complete
        return stage.asked.total()

    assert once() > 0
    assert once() == 0
