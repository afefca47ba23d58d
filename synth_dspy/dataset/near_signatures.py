"""Signatures of many texts at once: what `signature` of minhash.py makes of them one by one.

Texts enter, a matrix of signatures and the sizes of their sets of grams leave.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from synth_dspy.dataset.minhash import GRAM, HASHES, grams, mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_dspy.dataset.minhash import Grams

GRAM_BITS = np.uint64(48)
"""Bits of a gram's hash that stay beside the number of its text in 64 bits."""
THREADS = min(4, os.cpu_count() or 1)
"""Nearly all of it is numpy on large arrays, which lets other threads go on."""
_CHUNK = 8_000
_EMPTY = np.uint32(0xFFFFFFFF)


def signatures(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """`(n, HASHES) uint32`, as `signature` makes them one by one, and how many grams each has."""
    rows = np.empty((len(texts), HASHES), dtype=np.uint32)
    sizes = np.empty(len(texts), dtype=np.int64)

    def fill(start: int) -> None:
        stop = start + _CHUNK
        rows[start:stop], sizes[start:stop] = _of_chunk(texts[start:stop])

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(fill, range(0, len(texts), _CHUNK)):
            pass
    return rows, sizes


def _of_chunk(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    text, value = windows(texts)
    rows = np.full((len(texts), HASHES), _EMPTY, dtype=np.uint32)
    bins = ((value >> np.uint64(40)) % np.uint64(HASHES)).astype(np.int64)
    low = (value & np.uint64(0xFFFFFFFE)).astype(np.uint32)
    np.minimum.at(rows.reshape(-1), text * HASHES + bins, low)
    _densify(rows)
    owner = (distinct(text, value) >> GRAM_BITS).astype(np.int64)
    return rows, np.bincount(owner, minlength=len(texts))


def _densify(rows: NDArray[np.uint32]) -> None:
    """Empty bins borrow from the next filled one, marked by the distance, as `signature` does."""
    at = np.flatnonzero((rows == _EMPTY).any(axis=1))
    part = rows[at]
    place = np.arange(HASHES)
    # Two rounds of the ring, read backwards: the nearest filled bin at or after each.
    filled = np.concatenate([part, part], axis=1) != _EMPTY
    where = np.where(filled, np.arange(2 * HASHES), 4 * HASHES)
    nearest = np.minimum.accumulate(where[:, ::-1], axis=1)[:, ::-1][:, :HASHES]
    distance = np.where(nearest < 4 * HASHES, nearest - place, 0)
    donor = np.take_along_axis(part, (place + distance) % HASHES, axis=1)
    rows[at] = donor + (distance * 2654435761 % 2**32).astype(np.uint32)


def windows(texts: Sequence[str]) -> tuple[NDArray[np.int64], Grams]:
    """Every run of `GRAM` characters of every text: which text, and its hash; not yet distinct.

    A shorter text is one run, as for `grams`.
    """
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64)
    count = np.maximum(lengths - GRAM + 1, 0)
    text = np.repeat(np.arange(len(texts)), count)
    begins = np.cumsum(lengths) - lengths
    first = np.cumsum(count) - count
    place = np.arange(len(text)) - np.repeat(first - begins, count)
    value = np.full(len(text), GRAM, dtype=np.uint64)
    for offset in range(GRAM):
        value = mixed(value + points[place + offset])
    short = np.flatnonzero(lengths < GRAM)
    if len(short):
        own = [grams(texts[index]) for index in short.tolist()]
        text = np.concatenate([text, np.repeat(short, [len(one) for one in own])])
        value = np.concatenate([value, *own])
    return text, value


def distinct(text: NDArray[np.int64], value: Grams) -> Grams:
    """The different grams of each text, sorted: the text's number over 48 bits of the hash."""
    key = np.sort((text.astype(np.uint64) << GRAM_BITS) | (value >> (np.uint64(64) - GRAM_BITS)))
    new = np.ones(len(key), dtype=bool)
    new[1:] = key[1:] != key[:-1]
    found: Grams = key[new]
    return found
