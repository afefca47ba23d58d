"""The top K of candidates by a score that can be read: quality, distance, coverage.

Greedy: at each step the candidate with the best weighted mean of three parts, each 0 to 1, is
taken. Distance is that of maximal marginal relevance (Carbonell and Goldstein,
https://doi.org/10.1145/290941.291025); coverage is how far the candidate's groups are behind
their share of all candidates. It knows no records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_dspy.dataset.embedding import Vectors

_DIGITS = 4  # the last ones of a product depend on the machine


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of one: the share of criteria that hold, and the groups that it is in, one of
    each kind (a persona, a topic)."""

    judge: float
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts."""

    judge: float = 1.0
    diversity: float = 0.5
    coverage: float = 0.25


@dataclass(frozen=True, slots=True)
class Pick:
    """A candidate's index, its score and the score's parts at the moment it was taken or left."""

    index: int
    score: float
    judge: float
    diversity: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Picks:
    """What was taken, in order, and what was left, by index."""

    taken: tuple[Pick, ...]
    left: Mapping[int, Pick]


def top_k(candidates: Sequence[Candidate], vectors: Vectors, count: int, weights: Weights) -> Picks:
    """At most `count` of `candidates`; of equal scores the first.

    Args:
        vectors: `(len(candidates), dimensions) float32` of length 1, in the same order.
    """
    n = len(candidates)
    judge = np.asarray([one.judge for one in candidates])
    nearest: NDArray[np.float64] = np.zeros(n)
    free = np.ones(n, dtype=bool)
    cover = _Coverage(candidates)
    total = (weights.judge + weights.diversity + weights.coverage) or 1.0
    taken: list[Pick] = []

    def parts() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        diversity, coverage = 1 - nearest, cover.lack(len(taken))
        whole = weights.judge * judge + weights.diversity * diversity + weights.coverage * coverage
        return np.round(whole / total, _DIGITS), diversity, coverage

    def pick(at: int) -> Pick:
        return Pick(
            at, float(score[at]), float(judge[at]), float(round(diversity[at], _DIGITS)),
            float(round(coverage[at], _DIGITS)),
        )  # fmt: skip

    while len(taken) < min(count, n):
        score, diversity, coverage = parts()
        best = int(np.argmax(np.where(free, score, -np.inf)))
        taken.append(pick(best))
        free[best] = False
        cover.take(best)
        near = np.clip(np.round(vectors @ vectors[best], _DIGITS), 0, 1)
        nearest = np.maximum(nearest, near)
    score, diversity, coverage = parts()
    return Picks(tuple(taken), {int(at): pick(int(at)) for at in np.flatnonzero(free)})


class _Coverage:
    """How far each candidate's groups are behind their share of all candidates."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        kinds = len(candidates[0].groups) if candidates else 0
        self._codes: list[NDArray[np.int64]] = []
        self._held: list[NDArray[np.float64]] = []
        self._pool: list[NDArray[np.float64]] = []
        for kind in range(kinds):
            names = sorted({one.groups[kind] for one in candidates})
            place = {name: at for at, name in enumerate(names)}
            self._codes.append(np.asarray([place[one.groups[kind]] for one in candidates]))
            self._held.append(np.zeros(len(names)))
            self._pool.append(np.bincount(self._codes[-1], minlength=len(names)) / len(candidates))
        self._count = len(candidates)

    def take(self, index: int) -> None:
        for codes, held in zip(self._codes, self._held, strict=True):
            held[codes[index]] += 1

    def lack(self, taken: int) -> NDArray[np.float64]:
        """0 for a group at or above its share of what was taken and the next, to 1 for none."""
        if not self._codes:
            return np.zeros(self._count)
        rows = []
        for codes, held, pool in zip(self._codes, self._held, self._pool, strict=True):
            share = (taken + 1) * pool
            rows.append(np.clip(1 - held / share, 0, 1)[codes])
        found: NDArray[np.float64] = np.mean(rows, axis=0)
        return found
