"""Exact and near duplicates, in rank order: what came first stays.

Sample ids with their texts enter in the order of their ranks; the name of an earlier duplicate
leaves. It knows samples, not stages; how texts are shingled is minhash.py's business.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synth_dspy.dataset.code_form import normal_code
from synth_dspy.dataset.minhash import Index, grams, jaccard, normal_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.records import Sample

_WORD = re.compile(r"\w+")
_LAST_PASS = re.compile(r"\n?[ \t]*pass[ \t]*(#[^\n]*)?\s*\Z")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Why a sample is not new.

    Attributes:
        of: id of the earlier sample that it repeats.
        similarity: true Jaccard of the character 5-grams, 0 to 1; 1.0 for the exact layer.
    """

    of: str
    layer: Literal["exact", "near"]
    similarity: float


class Deduplicator:
    """Finds what has been seen before; memory grows with the texts added, not with their pairs.

    A candidate at or above `threshold` is a duplicate, one below it never is: a higher threshold
    removes less. Of several earlier duplicates the most similar is named, then the earliest.
    """

    def __init__(self, threshold: float = 0.85) -> None:
        """Raises:
        ValueError: `threshold` is not above 0 and at most 1.
        """
        self.threshold = threshold
        self._index = Index(threshold)
        self._exact: dict[bytes, str] = {}
        self._ids: list[str] = []
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def duplicate_of(self, sample_id: str, text: str) -> Duplicate | None:
        """The earlier sample that `text` repeats, or None. Adds nothing.

        A sample is never a duplicate of itself: an entry with the same id is passed over.
        """
        normal = normal_text(text)
        same = self._exact.get(_key(normal))
        if same is not None and same != sample_id:
            return Duplicate(of=same, layer="exact", similarity=1.0)
        own = grams(normal)
        best: tuple[float, int] | None = None
        for index in self._index.candidates(own):
            if self._ids[index] == sample_id:
                continue
            similarity = jaccard(grams(self._texts[index]), own)
            if similarity >= self.threshold and (best is None or similarity > best[0]):
                best = (similarity, index)
        if best is None:
            return None
        return Duplicate(of=self._ids[best[1]], layer="near", similarity=best[0])

    def add(self, sample_id: str, text: str) -> None:
        """Make `text` known, so that later ones are compared with it."""
        normal = normal_text(text)
        self._exact.setdefault(_key(normal), sample_id)
        self._index.add(grams(normal))
        self._ids.append(sample_id)
        self._texts.append(normal)


def dedup_text(sample: Sample) -> str:
    """What is compared of a sample: question and answer, code without comments and local names.

    A function completion is the function as it would stand in a file, its docstring included; the
    words of a question-and-answer sample are compared without punctuation.
    """
    if sample.type == "function_completion":
        stub = _LAST_PASS.sub("", sample.question)
        return normal_code(f"{stub}\n{sample.answer}")
    if sample.type == "code_generation":
        return f"{_words(sample.question)}\n{normal_code(sample.answer)}"
    return f"{_words(sample.question)}\n{_words(sample.answer)}"


def dedup_samples(
    samples: Iterable[Sample], *, threshold: float = 0.85
) -> tuple[list[Sample], list[tuple[Sample, Duplicate]]]:
    """Samples that stay, by rank, and those that repeat one of them, with why.

    Independent of the order of `samples`: the lower rank stays, then the lower id.
    """
    known = Deduplicator(threshold)
    kept: list[Sample] = []
    dropped: list[tuple[Sample, Duplicate]] = []
    for sample in by_rank(samples):
        text = dedup_text(sample)
        duplicate = known.duplicate_of(sample.id, text)
        if duplicate is None:
            known.add(sample.id, text)
            kept.append(sample)
        else:
            dropped.append((sample, duplicate))
    return kept, dropped


def by_rank(samples: Iterable[Sample]) -> Sequence[Sample]:
    """`samples` in the order in which duplicates are decided and rows are written."""
    return sorted(samples, key=lambda sample: (sample.rank, sample.id))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
