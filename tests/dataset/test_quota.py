"""Quotas: the same verdicts give the same dataset whatever the timing, at little extra cost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.dataset.quota import Quota

TARGETS = {f"cell{i}": 40 + 15 * i for i in range(6)}


def simulate(world: int, timing: int, *, in_flight: int = 64) -> tuple[list[int], int, int]:
    """Ranks committed, tasks run, and tasks that had to be decided, in one order of arrival."""
    chance = random.Random(world)
    cells = [f"cell{i % 6}" for i in range(4000)]
    chance.shuffle(cells)
    passes = [chance.random() < 0.4 for _ in cells]
    repeats = [chance.random() < 0.05 for _ in cells]
    committed: list[int] = []

    def is_duplicate(rank: int, _: int) -> bool:
        if not repeats[rank]:
            committed.append(rank)
        return repeats[rank]

    quota = Quota(cells, TARGETS, is_duplicate)
    arrival, running, run = random.Random(timing), [], 0
    while not quota.done:
        while len(running) < in_flight and (rank := quota.admit()) is not None:
            running.append(rank)
            run += 1
        rank = running.pop(arrival.randrange(len(running)))
        quota.report(rank, rank if passes[rank] else None)
    assert quota.complete
    return committed, run, len(quota.decided)


@pytest.mark.parametrize("world", range(3))
def test_the_result_does_not_depend_on_timing_or_concurrency(world: int) -> None:
    expected, _, _ = simulate(world, timing=0, in_flight=1)
    for timing in range(6):
        for in_flight in (8, 64):
            assert simulate(world, timing, in_flight=in_flight)[0] == expected


def test_at_64_in_flight_few_more_tasks_are_run_than_needed() -> None:
    for world in range(3):
        _, run, needed = simulate(world, timing=world)
        assert run <= 1.35 * needed


@given(
    verdicts=st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40),
    target=st.integers(1, 6),
    timing=st.randoms(use_true_random=False),
)
@settings(max_examples=200)
def test_it_always_ends_and_takes_the_lowest_ranks(
    verdicts: list[tuple[str, bool]], target: int, timing: random.Random
) -> None:
    committed: list[int] = []

    def keep(rank: int, _: bool) -> bool:
        committed.append(rank)
        return False

    quota = Quota([cell for cell, _ in verdicts], {"a": target, "b": target}, keep)
    running: list[int] = []
    while not quota.done:
        while len(running) < 4 and (rank := quota.admit()) is not None:
            running.append(rank)
        rank = running.pop(timing.randrange(len(running)))
        quota.report(rank, True if verdicts[rank][1] else None)
    for cell in "ab":
        passing = [r for r, (c, passed) in enumerate(verdicts) if c == cell and passed]
        assert [r for r in committed if verdicts[r][0] == cell] == passing[:target]
    assert committed == sorted(committed)
    assert quota.complete == all(state.full for state in quota.states.values())


def test_a_full_cells_tasks_are_skipped_and_others_go_on() -> None:
    quota: Quota[str, int] = Quota(["a", "a", "b"], {"a": 1, "b": 1}, lambda *_: False)
    assert quota.admit() == 0
    quota.report(0, 0)
    assert not quota.done
    assert quota.admit() == 2
    quota.report(2, 2)
    assert quota.done
    assert quota.admit() is None
    assert quota.decided == [0, 2]
