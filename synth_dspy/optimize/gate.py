"""The gate: is a candidate better than what it would replace, beyond chance?

Scores of both on the same held-out examples enter, the interval of their difference leaves. Nobody
tuned on those examples, so a candidate that only fits its training set does not pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95
_AT_ONCE = 1_000  # resamples, so that memory does not grow with their number


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean difference of paired scores and its confidence interval.

    Attributes:
        low, high: the ends of the 95% interval.
        n: pairs.
    """

    gain: float
    low: float
    high: float
    n: int

    @property
    def clears_zero(self) -> bool:
        """Whether even its lower end is a gain."""
        return self.low > 0


def paired_interval(
    before: Sequence[float],
    after: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The percentile interval of a paired bootstrap: examples are drawn with replacement, each with
    both of its scores (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13).

    Raises:
        ValueError: there is nothing to compare, or the lengths differ.
    """
    if not before or len(before) != len(after):
        raise ValueError(f"{len(before)} scores before and {len(after)} after")
    differences = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    n, rng = len(differences), np.random.default_rng(seed)
    means = np.concatenate(
        [
            differences[rng.integers(0, n, size=(min(_AT_ONCE, resamples - start), n))].mean(axis=1)
            for start in range(0, resamples, _AT_ONCE)
        ]
    )
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(differences.mean()), float(low), float(high), n)
