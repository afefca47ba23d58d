"""The top K: quality first, then distance and coverage, each with its parts."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.embedding import unit
from synth_dspy.dataset.top_k import Candidate, Weights, top_k


def vectors(count: int, *, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return unit(rows)


@given(st.integers(1, 30), st.integers(1, 40))
def test_as_many_are_taken_as_there_are_or_were_asked_for(n: int, count: int) -> None:
    candidates = [Candidate(1.0, ("a",))] * n
    picks = top_k(candidates, vectors(n), count, Weights())
    assert len(picks.taken) == min(n, count)
    assert {p.index for p in picks.taken} | set(picks.left) == set(range(n))


def test_the_better_judged_one_is_taken() -> None:
    picks = top_k([Candidate(0.5, ()), Candidate(1.0, ())], vectors(2), 1, Weights())
    assert [pick.index for pick in picks.taken] == [1]


def test_what_is_unlike_the_taken_goes_before_its_double() -> None:
    rows = vectors(3)
    rows[1] = rows[0]
    picks = top_k([Candidate(1.0, ())] * 3, rows, 2, Weights())
    assert [pick.index for pick in picks.taken] == [0, 2]
    assert picks.left[1].diversity == 0


def test_groups_come_in_their_share_of_all() -> None:
    candidates = [Candidate(1.0, ("a",))] * 30 + [Candidate(1.0, ("b",))] * 10
    picks = top_k(candidates, vectors(40), 20, Weights(judge=0, diversity=0, coverage=1))
    held = Counter(candidates[pick.index].groups[0] for pick in picks.taken)
    assert abs(held["a"] - 15) <= 1


def test_the_score_is_the_weighted_mean_of_its_parts() -> None:
    weights = Weights(2, 1, 1)
    picks = top_k([Candidate(0.75, ("a",))] * 5, vectors(5), 3, weights)
    for pick in (*picks.taken, *picks.left.values()):
        expected = (2 * pick.judge + pick.diversity + pick.coverage) / 4
        assert abs(pick.score - expected) < 1e-3


def test_weights_of_zero_take_the_first() -> None:
    picks = top_k([Candidate(1.0, ())] * 3, vectors(3), 2, Weights(0, 0, 0))
    assert [pick.index for pick in picks.taken] == [0, 1]
