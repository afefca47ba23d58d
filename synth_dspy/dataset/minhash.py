"""Which texts may be near-duplicates: one-permutation MinHash over character 5-grams, and bands.

Texts enter, signatures, band keys and true Jaccard similarities leave. It knows nothing of samples.

One hash per 5-gram fills all bins of a signature at once (Li, Owen, Zhang: "One Permutation
Hashing", 2012); an empty bin borrows from the next filled one (Shrivastava, Li: "Densifying One
Permutation Hashing", 2014). Signatures only propose candidates: `jaccard` decides.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grams: TypeAlias = NDArray[np.uint64]
    Signature: TypeAlias = NDArray[np.uint32]

GRAM = 5
HASHES = 112
_ROWS = (16, 14, 8, 7, 4, 2, 1)
_RECALL = 0.995
ERRORS = 4
"""Standard errors by which signatures may disagree with the threshold before a pair is left out."""
_EMPTY = np.uint32(0xFFFFFFFF)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def normal_text(text: str) -> str:
    """`text` in Unicode NFKC, case folded, every run of white space one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(text: str) -> Grams:
    """Hashes of the distinct 5-grams of `text`, sorted: `(m,) uint64`, m >= 1.

    A text shorter than a gram is one gram, so that two short texts are alike only when equal.
    """
    # As np.unique does, at a third of its time for texts of some hundred characters.
    value = np.sort(hashed_windows(text, GRAM))
    new = np.ones(len(value), dtype=bool)
    new[1:] = value[1:] != value[:-1]
    return value[new]


def hashed_windows(text: str, width: int) -> Grams:
    """A hash of every run of `width` characters of `text`, in order, equal runs equal: never empty.

    A shorter text is one run.
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    width = min(width, len(points))
    if width == 0:
        return np.zeros(1, dtype=np.uint64)
    count = len(points) - width + 1
    value = np.full(count, width, dtype=np.uint64)
    for offset in range(width):
        value = mixed(value + points[offset : offset + count].astype(np.uint64))
    return value


def signature(of: Grams) -> Signature:
    """The signature of one set of grams: `(HASHES,) uint32`."""
    bins = ((of >> np.uint64(40)) % np.uint64(HASHES)).astype(np.int64)
    row = np.full(HASHES, _EMPTY, dtype=np.uint32)
    np.minimum.at(row, bins, (of & np.uint64(0xFFFFFFFE)).astype(np.uint32))
    filled = np.flatnonzero(row != _EMPTY)
    place = np.arange(HASHES)
    at = np.searchsorted(filled, place)
    donor = filled[at % len(filled)]
    distance = (donor - place) % HASHES
    return row[donor] + (distance * 2654435761 % 2**32).astype(np.uint32)


def jaccard(a: Grams, b: Grams) -> float:
    """Shared grams over all grams, 0 to 1; both sorted and distinct, as `grams` makes them."""
    small, large = (a, b) if len(a) <= len(b) else (b, a)
    at = np.searchsorted(large, small)
    shared = int(np.count_nonzero(large[np.minimum(at, len(large) - 1)] == small))
    return shared / (len(a) + len(b) - shared)


def rows_for(threshold: float) -> int:
    """Rows in a band, so that a pair at `threshold` shares a band with probability >= 0.995.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"a similarity threshold is above 0 and at most 1, not {threshold!r}")
    for rows in _ROWS:
        if 1 - (1 - threshold**rows) ** (HASHES // rows) >= _RECALL:
            return rows
    return 1


def band_keys(of: Signature, rows: int) -> list[bytes]:
    """One key a band; two texts are candidates when a key is equal at the same band."""
    wide = np.ascontiguousarray(of).view(np.uint8).reshape(HASHES // rows, rows * 4)
    return [bytes([band]) + wide[band].tobytes() for band in range(len(wide))]


class Index:
    """Finds the texts that a text may be alike to; it holds signatures, not texts.

    A pair at the threshold is found with probability >= 0.995. Of what shares a band, pairs whose
    sizes rule the threshold out are left out, and those whose signatures agree in four standard
    errors less than it, so that families of texts from one template cost little.
    """

    def __init__(self, threshold: float) -> None:
        """Raises:
        ValueError: `threshold` is not above 0 and at most 1.
        """
        self.threshold = threshold
        self._rows = rows_for(threshold)
        self._buckets: dict[bytes, list[int]] = {}
        self._signatures = np.zeros((64, HASHES), dtype=np.uint32)
        self._sizes = np.zeros(64, dtype=np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, of: Grams) -> None:
        """Make the next text known; its index is the number of those before it."""
        if self._count == len(self._sizes):
            self._signatures = np.concatenate([self._signatures, np.zeros_like(self._signatures)])
            self._sizes = np.concatenate([self._sizes, np.zeros_like(self._sizes)])
        row = signature(of)
        for key in band_keys(row, self._rows):
            self._buckets.setdefault(key, []).append(self._count)
        self._signatures[self._count] = row
        self._sizes[self._count] = len(of)
        self._count += 1

    def candidates(self, of: Grams) -> list[int]:
        """Indices of texts to compare with, ascending."""
        row = signature(of)
        shared: set[int] = set()
        for key in band_keys(row, self._rows):
            shared.update(self._buckets.get(key, ()))
        if not shared:
            return []
        at = np.fromiter(sorted(shared), dtype=np.int64, count=len(shared))
        sizes = self._sizes[at]
        fits = np.minimum(sizes, len(of)) >= self.threshold * np.maximum(sizes, len(of))
        at = at[fits]
        agreement = (self._signatures[at] == row).mean(axis=1)
        spread = (self.threshold * (1 - self.threshold) / min(HASHES, len(of))) ** 0.5
        found: list[int] = at[agreement >= self.threshold - ERRORS * spread].tolist()
        return found


def mixed(value: Grams) -> Grams:
    """SplitMix64's finaliser (https://prng.di.unimi.it/splitmix64.c)."""
    value = value + _STEP
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))
