"""Duplicates by meaning: cosine similarity of embeddings, in blocks, so that memory is bounded.

Vectors of length 1 enter in the order of their ranks; what they repeat leaves. How texts become
vectors is embedding.py's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_dspy.dataset.embedding import Vectors

_PRODUCT_BYTES = 64 << 20
# The last digits of a product depend on how it was divided into blocks.
_DIGITS = 4


class SemanticIndex:
    """The vectors that were added; memory is theirs, `4 * dimensions` bytes each."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._rows: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, vector: Vectors) -> None:
        """Make the next vector known; its index is the number of those before it."""
        if self._count == len(self._rows):
            grown = np.zeros((max(64, 2 * self._count), len(vector)), dtype=np.float32)
            if self._count:
                grown[: self._count] = self._rows
            self._rows = grown
        self._rows[self._count] = vector
        self._count += 1

    def nearest(self, vector: Vectors) -> tuple[int, float] | None:
        """Index and similarity of the most similar one at or above the threshold, the earliest of
        equals, or None."""
        if not self._count:
            return None
        similarity = np.round(self._rows[: self._count] @ vector, _DIGITS)
        best = int(np.argmax(similarity))
        found = float(similarity[best])
        return (best, found) if found >= self.threshold else None


class SemanticBlocks:
    """The same of vectors that are all there, asked in their order: products are taken in blocks of
    at most 64 MiB, and an index asked for is compared with what was kept before it."""

    def __init__(self, vectors: Vectors, threshold: float) -> None:
        self._vectors, self._threshold = vectors, threshold
        self._step = max(1, _PRODUCT_BYTES // (4 * max(1, len(vectors))))
        self._start = -self._step
        self._products: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._near: NDArray[np.bool_] = np.zeros(0, dtype=bool)

    def nearest(self, at: int, kept: NDArray[np.bool_]) -> tuple[int, float] | None:
        """Index and similarity of the most similar kept vector before `at`, the earliest of equals,
        or None; `at` is never less than in the call before."""
        if at >= self._start + self._step:
            self._start = at - at % self._step
            stop = self._start + self._step
            block = self._vectors[self._start : stop]
            self._products = np.round(block @ self._vectors[:stop].T, _DIGITS)
            # Most rows have nothing near them at all, themselves aside.
            self._near = (self._products >= self._threshold).sum(axis=1) > 1
        row = at - self._start
        if not self._near[row]:
            return None
        similarity = np.where(kept[:at], self._products[row, :at], -1)
        best = int(np.argmax(similarity)) if at else 0
        found = float(similarity[best]) if at else -1.0
        return (best, found) if found >= self._threshold else None
