"""Near-duplicates of many texts at once: what a `Deduplicator` finds one by one, in a batch.

Texts enter in the order of their ranks; for each, the earlier one that it repeats leaves. All
signatures are made in vectors, candidates come from sorting band keys, and every candidate pair is
compared by its true Jaccard similarity, so the result is exact for all pairs that share a band.
Memory: 448 bytes a text for its signature, and what the texts themselves take.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from synth_dspy.dataset.minhash import (
    ERRORS,
    GRAM,
    HASHES,
    grams,
    jaccard,
    mixed,
    normal_text,
    rows_for,
    signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from synth_dspy.dataset.minhash import Grams
    from synth_dspy.dataset.semantic import SemanticBlocks


class Repeats(NamedTuple):
    """An earlier text that is repeated: its index, how similar it is, and by which measure."""

    of: int
    similarity: float
    layer: Literal["near", "semantic"]


_CHUNK = 8_000
_THREADS = 4
_PAIRS = 250_000
_HELD = 100_000
_TRIED = 64
_EMPTY = np.uint32(0xFFFFFFFF)
_SMALL_RUN = 32
"""Texts that share a band key, up to this many, are compared pair by pair; larger families are
compared with what was kept of them, since most of a family is dropped by its first."""


def near_links(
    texts: Sequence[str],
    threshold: float,
    *,
    known: Callable[[int, int], bool] = lambda _i, _j: False,
) -> Iterator[tuple[int, int]]:
    """Pairs `(i, j)`, i < j, of texts at least `threshold` alike, so that chains of them join all.

    Args:
        known: pairs for which it is true are not compared: the caller has joined them already. It
            is asked again for each pair, so what is yielded may change what it says. Of a text in a
            large family only the 64 likeliest pairs that are not known are compared.
    """
    work = _Candidates(texts, threshold)
    for part in work.parts():
        may = work.compare.may_be(part >> 32, part & 0xFFFFFFFF)
        for pair in part[may].tolist():
            i, j = pair >> 32, pair & 0xFFFFFFFF
            if not known(i, j) and work.compare.similarity(i, j) >= threshold:
                yield i, j
    for j in sorted(work.families.members()):
        others = work.families.kept_beside(j)
        work.families.keep(j)
        tried = 0
        for i in work.compare.likeliest(j, others):
            if tried == _TRIED:
                break
            if not known(i, j):
                tried += 1
                if work.compare.similarity(i, j) >= threshold:
                    yield i, j


def near_duplicates(
    texts: Sequence[str], threshold: float, *, vectors: SemanticBlocks | None = None
) -> list[Repeats | None]:
    """For each text in order: the kept earlier text that it repeats, or None.

    Of several it is the most similar, then the earliest. One that repeats another is not kept.

    Args:
        vectors: of the texts; what is not nearly equal is compared by them, too.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """
    work = _Candidates(texts, threshold)
    edges: dict[int, list[tuple[int, float]]] = {}
    for part in work.parts():
        work.compare.pairs(part, edges)
    return _greedy(len(texts), edges, work, vectors)


class _Candidates:
    """Signatures of texts, pairs of those that share a band key, and large families of them.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """

    def __init__(self, texts: Sequence[str], threshold: float) -> None:
        rows = rows_for(threshold)
        normal = [normal_text(text) for text in texts]
        signatures, sizes = _signatures(normal)
        self.families = _Families()
        self.compare = _Compare(normal, signatures, sizes, threshold)
        bands = range(0, HASHES, rows)
        found = [_small_runs(signatures[:, at : at + rows], self.families) for at in bands]
        self._pairs = np.unique(np.concatenate(found))

    def parts(self) -> Iterator[NDArray[np.int64]]:
        """The pairs of small runs, each once, as `i << 32 | j`, i < j, ascending."""
        for start in range(0, len(self._pairs), _PAIRS):
            yield self._pairs[start : start + _PAIRS]


def _greedy(
    count: int,
    edges: dict[int, list[tuple[int, float]]],
    work: _Candidates,
    vectors: SemanticBlocks | None,
) -> list[Repeats | None]:
    """What stays is decided in order, by what has stayed before."""
    found: list[Repeats | None] = [None] * count
    kept = np.ones(count, dtype=bool)
    anything = edges.keys() | work.families.members()
    for at in range(count) if vectors is not None else sorted(anything):
        near = [(similarity, -i) for i, similarity in edges.get(at, ()) if kept[i]]
        near += [(s, -i) for i, s in work.compare.one(at, work.families.kept_beside(at))]
        if near:
            similarity, minus = max(near)
            found[at] = Repeats(-minus, similarity, "near")
        elif vectors is not None and (twin := vectors.nearest(at, kept)) is not None:
            found[at] = Repeats(*twin, "semantic")
        kept[at] = found[at] is None
        if kept[at]:
            work.families.keep(at)
    return found


class _Families:
    """Large runs of texts that share a band key, and what was kept of each."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}
        self._kept: list[list[int]] = []

    def add(self, run: NDArray[np.int64]) -> None:
        name = len(self._kept)
        self._kept.append([])
        for member in run.tolist():
            self._of.setdefault(member, []).append(name)

    def members(self) -> set[int]:
        return set(self._of)

    def kept_beside(self, at: int) -> NDArray[np.int64]:
        """Kept earlier members of the families of a text, ascending."""
        beside: set[int] = set()
        for name in self._of.get(at, ()):
            beside.update(self._kept[name])
        return np.fromiter(sorted(beside), dtype=np.int64, count=len(beside))

    def keep(self, at: int) -> None:
        for name in self._of.get(at, ()):
            self._kept[name].append(at)


def _small_runs(columns: NDArray[np.uint32], families: _Families) -> NDArray[np.int64]:
    """Pairs `i << 32 | j`, i < j, of texts whose band key is equal; large runs go to `families`."""
    key = np.full(len(columns), columns.shape[1], dtype=np.uint64)
    for column in columns.T:
        key = mixed(key + column.astype(np.uint64))
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(begins, len(ordered)))
    for begin in np.flatnonzero(lengths > _SMALL_RUN):
        families.add(order[begins[begin] : begins[begin] + lengths[begin]])
    run = np.repeat(np.arange(len(begins)), lengths)
    small = np.repeat((lengths > 1) & (lengths <= _SMALL_RUN), lengths)
    order, run = order[small], run[small]
    found = [np.zeros(0, dtype=np.int64)]
    for distance in range(1, _SMALL_RUN):
        together = run[:-distance] == run[distance:]
        if not together.any():
            break
        # The sort is stable, so that in a run indices ascend.
        found.append((order[:-distance][together] << 32) | order[distance:][together])
    return np.concatenate(found)


class _Compare:
    """Decides on candidates: by their signatures where that is certain enough, else in full."""

    def __init__(
        self,
        texts: Sequence[str],
        signatures: NDArray[np.uint32],
        sizes: NDArray[np.int64],
        threshold: float,
    ) -> None:
        self._texts, self._signatures, self._sizes = texts, signatures, sizes
        self._threshold = threshold
        self._grams: dict[int, Grams] = {}

    def pairs(self, part: NDArray[np.int64], edges: dict[int, list[tuple[int, float]]]) -> None:
        """Add to `edges`, by the later text of each pair that is alike: the earlier one and their
        similarity."""
        may = self.may_be(part >> 32, part & 0xFFFFFFFF)
        for pair in part[may].tolist():
            i, j = pair >> 32, pair & 0xFFFFFFFF
            similarity = self.similarity(i, j)
            if similarity >= self._threshold:
                edges.setdefault(j, []).append((i, similarity))

    def similarity(self, i: int, j: int) -> float:
        """True Jaccard similarity of two texts."""
        return jaccard(self._of(i), self._of(j))

    def likeliest(self, at: int, others: NDArray[np.int64]) -> list[int]:
        """Those of `others` that may be alike, the most similar by their signatures first."""
        may = others[self.may_be(others, np.full(len(others), at))]
        agreement = (self._signatures[may] == self._signatures[at]).mean(axis=1)
        ordered: list[int] = may[np.argsort(-agreement, kind="stable")].tolist()
        return ordered

    def one(self, at: int, others: NDArray[np.int64]) -> Iterator[tuple[int, float]]:
        """Of earlier texts, those that are alike, with their similarity."""
        if not len(others):
            return
        may = self.may_be(others, np.full(len(others), at))
        own = self._of(at) if may.any() else None
        for i in others[may].tolist():
            if own is not None and (similarity := jaccard(self._of(i), own)) >= self._threshold:
                yield i, similarity

    def _of(self, index: int) -> Grams:
        known = self._grams.get(index)
        if known is None:
            if len(self._grams) >= _HELD:
                self._grams.clear()
            known = self._grams[index] = grams(self._texts[index])
        return known

    def may_be(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Pairs that sizes and signatures leave possible, by the rule of `Index.candidates`."""
        a, b, threshold = self._sizes[first], self._sizes[second], self._threshold
        may: NDArray[np.bool_] = np.minimum(a, b) >= threshold * np.maximum(a, b)
        at = np.flatnonzero(may)
        spread = np.sqrt(threshold * (1 - threshold) / np.minimum(HASHES, b[at]))
        equal = self._signatures[first[at]] == self._signatures[second[at]]
        may[at] = equal.mean(axis=1) >= threshold - ERRORS * spread
        return may


def _signatures(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """`(n, HASHES) uint32`, as `signature` makes them one by one, and how many grams each has."""
    rows = np.empty((len(texts), HASHES), dtype=np.uint32)
    sizes = np.empty(len(texts), dtype=np.int64)

    def fill(start: int) -> None:
        stop = start + _CHUNK
        rows[start:stop], sizes[start:stop] = _signatures_of(texts[start:stop])

    # Nearly all of it is numpy on large arrays, which lets other threads go on.
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for _ in pool.map(fill, range(0, len(texts), _CHUNK)):
            pass
    return rows, sizes


def _signatures_of(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64)
    windows = np.maximum(lengths - GRAM + 1, 0)
    text = np.repeat(np.arange(len(texts)), windows)
    begins = np.cumsum(lengths) - lengths
    first = np.cumsum(windows) - windows
    place = np.arange(len(text)) - np.repeat(first - begins, windows)
    value = np.full(len(text), GRAM, dtype=np.uint64)
    for offset in range(GRAM):
        value = mixed(value + points[place + offset])
    rows = np.full((len(texts), HASHES), _EMPTY, dtype=np.uint32)
    bins = ((value >> np.uint64(40)) % np.uint64(HASHES)).astype(np.int64)
    low = (value & np.uint64(0xFFFFFFFE)).astype(np.uint32)
    np.minimum.at(rows.reshape(-1), text * HASHES + bins, low)
    _densify(rows)
    sizes = _distinct(text, value, len(texts))
    for index in np.flatnonzero(lengths < GRAM).tolist():
        own = grams(texts[index])
        rows[index], sizes[index] = signature(own), len(own)
    return rows, sizes


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


def _distinct(text: NDArray[np.int64], value: Grams, count: int) -> NDArray[np.int64]:
    """How many different grams each text has, by 48 bits of a gram and 16 of its text."""
    key = np.sort((text.astype(np.uint64) << np.uint64(48)) | (value >> np.uint64(16)))
    new = np.ones(len(key), dtype=bool)
    new[1:] = key[1:] != key[:-1]
    return np.bincount((key[new] >> np.uint64(48)).astype(np.int64), minlength=count)
