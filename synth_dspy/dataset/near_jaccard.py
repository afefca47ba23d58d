"""True Jaccard similarities of many pairs of texts at once.

Texts and pairs of their indices enter, similarities leave: what `jaccard` of minhash.py says of
each pair, as long as no two of its grams agree in 48 bits of their hashes and differ in the rest.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from synth_dspy.dataset.near_signatures import GRAM_BITS, THREADS, distinct, windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_dspy.dataset.minhash import Grams

_PAIRS = 8_192
"""Pairs in a block: what numbers them and their texts must fit into 16 bits."""
_MASK = np.uint64((1 << 48) - 1)


def jaccards(
    texts: Sequence[str], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """`(n,) float64`: how alike the texts `first[i]` and `second[i]` are."""
    blocks = [slice(at, at + _PAIRS) for at in range(0, len(first), _PAIRS)]
    if not blocks:
        return np.zeros(0)
    # Nearly all of it is numpy on large arrays, which lets other threads go on.
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda block: _block(texts, first[block], second[block]), blocks)
        return np.concatenate(list(found))


def _block(
    texts: Sequence[str], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    named, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    sets = distinct(*windows([texts[index] for index in named.tolist()]))
    sizes = np.bincount((sets >> GRAM_BITS).astype(np.int64), minlength=len(named))
    begins = np.cumsum(sizes) - sizes
    a, b = places[: len(first)], places[len(first) :]
    left, right = _paired(sets, begins, sizes, a), _paired(sets, begins, sizes, b)
    # Both are sorted, so that the search walks along them.
    at = np.minimum(np.searchsorted(right, left), len(right) - 1)
    pair = (left[right[at] == left] >> GRAM_BITS).astype(np.int64)
    shared = np.bincount(pair, minlength=len(first))
    result: NDArray[np.float64] = shared / (sizes[a] + sizes[b] - shared)
    return result


def _paired(
    sets: Grams, begins: NDArray[np.int64], sizes: NDArray[np.int64], which: NDArray[np.int64]
) -> Grams:
    """The grams of one side of each pair, the pair's number over 48 bits of the hash: sorted."""
    count = sizes[which]
    pair = np.repeat(np.arange(len(which)), count)
    first = np.cumsum(count) - count
    place = np.arange(len(pair)) - np.repeat(first - begins[which], count)
    found: Grams = (pair.astype(np.uint64) << GRAM_BITS) | (sets[place] & _MASK)
    return found
