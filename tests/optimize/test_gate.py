"""The gate: a gain passes when chance alone would hardly make it."""

from __future__ import annotations

import numpy as np
import pytest

from synth_dspy.optimize.gate import RESAMPLES, paired_interval


def test_equal_scores_gain_nothing() -> None:
    interval = paired_interval([0.0, 1.0] * 50, [0.0, 1.0] * 50)
    assert (interval.gain, interval.low, interval.high) == (0, 0, 0)
    assert not interval.clears_zero


def test_a_gain_on_a_third_of_a_hundred_clears_zero() -> None:
    before = [0.0] * 60 + [1.0] * 40
    after = [1.0] * 30 + [0.0] * 30 + [1.0] * 40
    assert paired_interval(before, after).clears_zero


def test_one_more_right_of_a_hundred_does_not() -> None:
    before = [0.0] * 60 + [1.0] * 40
    after = [1.0, *before[1:]]
    interval = paired_interval(before, after)
    assert interval.gain == pytest.approx(0.01)
    assert not interval.clears_zero


def test_pairs_count_not_means() -> None:
    # The same two means: once a steady small gain, once as many losses as gains.
    before = [0.5] * 40
    assert paired_interval(before, [0.6] * 40).clears_zero
    mixed = [1.0] * 22 + [0.1] * 18
    assert np.mean(mixed) > 0.59
    assert not paired_interval(before, mixed).clears_zero


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.random(50).tolist(), rng.random(50).tolist()
    assert paired_interval(before, after, seed=3) == paired_interval(before, after, seed=3)
    assert paired_interval(before, after, seed=3) != paired_interval(before, after, seed=4)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        after = rng.normal(0.1, 0.5, 100).tolist()
        interval = paired_interval([0.0] * 100, after, seed=seed, resamples=1_000)
        covered += interval.low <= 0.1 <= interval.high
    assert 180 <= covered <= 199


def test_it_draws_at_least_ten_thousand_times() -> None:
    assert RESAMPLES >= 10_000


def test_scores_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="2 scores before and 1 after"):
        paired_interval([0.0, 1.0], [1.0])
    with pytest.raises(ValueError, match="0 scores"):
        paired_interval([], [])
