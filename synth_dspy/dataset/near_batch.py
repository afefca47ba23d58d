"""Near-duplicates of many texts at once: what a `Deduplicator` finds one by one, in a batch.

Texts enter in the order of their ranks; for each, the earlier one that it repeats leaves. All
signatures are made in vectors, candidates come from sorting band keys, and every candidate pair is
compared by its true Jaccard similarity, so the result is exact for all pairs that share a band.
Memory: 448 bytes a text for its signature, and what the texts themselves take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from synth_dspy.dataset.minhash import (
    ERRORS,
    HASHES,
    grams,
    jaccard,
    mixed,
    normal_text,
    rows_for,
)
from synth_dspy.dataset.near_jaccard import jaccards
from synth_dspy.dataset.near_signatures import signatures as signatures_of

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


_PAIRS = 250_000
_HELD = 100_000
_TRIED = 64
_SMALL_RUN = 32
"""Texts that share a band key, up to this many, are compared pair by pair; larger families are
compared with what was kept of them, since most of a family is dropped by its first."""
_LARGE_RUN = 256
_SPARSE = 4
"""In a family up to that size whose members have, on average, at most so many others that they may
be alike to, just these pairs are compared: it is one by chance."""


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
        signatures, sizes = signatures_of(normal)
        self.families = _Families()
        self.compare = _Compare(normal, signatures, sizes, threshold)
        found = [
            pairs
            for at in range(0, HASHES, rows)
            for pairs in _runs(signatures[:, at : at + rows], self.families, self.compare)
        ]
        every = np.sort(np.concatenate(found))
        self._pairs = every[np.diff(every, prepend=-1) != 0]

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


def _runs(
    columns: NDArray[np.uint32], families: _Families, compare: _Compare
) -> Iterator[NDArray[np.int64]]:
    """Pairs `i << 32 | j`, i < j, of texts whose band key is equal; what is left of large runs goes
    to `families`."""
    key = np.full(len(columns), columns.shape[1], dtype=np.uint64)
    for column in columns.T:
        key = mixed(key + column.astype(np.uint64))
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(begins, len(ordered)))
    for begin in np.flatnonzero(lengths > _SMALL_RUN):
        members = order[begins[begin] : begins[begin] + lengths[begin]]
        pairs = compare.within(members) if len(members) <= _LARGE_RUN else None
        if pairs is None or len(pairs) > _SPARSE * len(members):
            families.add(members)
        else:
            yield pairs
    run = np.repeat(np.arange(len(begins)), lengths)
    small = np.repeat((lengths > 1) & (lengths <= _SMALL_RUN), lengths)
    order, run = order[small], run[small]
    yield np.zeros(0, dtype=np.int64)
    for distance in range(1, _SMALL_RUN):
        together = run[:-distance] == run[distance:]
        if not together.any():
            break
        # The sort is stable, so that in a run indices ascend.
        yield (order[:-distance][together] << 32) | order[distance:][together]


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
        part = part[self.may_be(part >> 32, part & 0xFFFFFFFF)]
        first, second = part >> 32, part & 0xFFFFFFFF
        similarity = jaccards(self._texts, first, second)
        alike = similarity >= self._threshold
        found = zip(*(c[alike].tolist() for c in (first, second, similarity)), strict=True)
        for i, j, how in found:
            edges.setdefault(j, []).append((i, how))

    def within(self, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pairs `i << 32 | j`, i < j, of `members`, ascending: all that `may_be` lets through, and
        few that it does not."""
        columns, size = self._signatures[members].T, self._sizes[members]
        equal = (columns[:, :, None] == columns[:, None, :]).sum(axis=0, dtype=np.uint8)
        smaller, larger = np.minimum.outer(size, size), np.maximum.outer(size, size)
        may = (equal / HASHES >= self._least(smaller)) & (smaller >= self._threshold * larger)
        first, second = np.nonzero(np.triu(may, 1))
        return (members[first] << 32) | members[second]

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
        a, b = self._sizes[first], self._sizes[second]
        may: NDArray[np.bool_] = np.minimum(a, b) >= self._threshold * np.maximum(a, b)
        at = np.flatnonzero(may)
        equal = self._signatures[first[at]] == self._signatures[second[at]]
        may[at] = equal.sum(axis=1, dtype=np.uint8) / HASHES >= self._least(b[at])
        return may

    def _least(self, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of equal hashes below which texts of these sizes are not compared."""
        spread = self._threshold * (1 - self._threshold) / np.minimum(HASHES, sizes)
        least: NDArray[np.float64] = self._threshold - ERRORS * np.sqrt(spread)
        return least
