"""Exact, near and semantic duplicates, in rank order: what came first stays.

Sample ids with their texts enter in the order of their ranks; the name of an earlier duplicate
leaves. It knows samples, not stages; how texts are shingled is minhash.py's business, and how they
become vectors embedding.py's.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synth_dspy.dataset.code_form import normal_code
from synth_dspy.dataset.embedding import hashed_ngrams
from synth_dspy.dataset.minhash import Index, grams, jaccard, normal_text
from synth_dspy.dataset.near_batch import near_duplicates
from synth_dspy.dataset.semantic import SemanticBlocks, SemanticIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.dataset.embedding import Embed, Vectors
    from synth_dspy.records import Sample

_WORD = re.compile(r"\w+")
_LAST_PASS = re.compile(r"\n?[ \t]*pass[ \t]*(#[^\n]*)?\s*\Z")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Why a sample is not new.

    Attributes:
        of: id of the earlier sample that it repeats.
        similarity: near: true Jaccard of the character 5-grams; semantic: cosine of the embeddings;
            1.0 for the exact layer.
    """

    of: str
    layer: Literal["exact", "near", "semantic"]
    similarity: float


class Deduplicator:
    """Finds what has been seen before; memory grows with the texts added, not with their pairs.

    A candidate at or above `threshold` is a duplicate, one below it never is: a higher threshold
    removes less. Of several earlier duplicates the most similar is named, then the earliest.
    """

    def __init__(
        self,
        threshold: float = 0.85,
        *,
        semantic_threshold: float = 0.0,
        embed: Embed = hashed_ngrams,
    ) -> None:
        """`semantic_threshold` 0 leaves that layer out, and asks `embed` nothing.

        Raises:
            ValueError: `threshold` is not above 0 and at most 1.
        """
        self.threshold = threshold
        self._index = Index(threshold)
        self._semantic = SemanticIndex(semantic_threshold) if semantic_threshold else None
        self._embed = embed
        self._embedded: tuple[str, Vectors] | None = None
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
        if best is not None:
            return Duplicate(of=self._ids[best[1]], layer="near", similarity=best[0])
        return self._same_meaning(sample_id, normal)

    def _same_meaning(self, sample_id: str, normal: str) -> Duplicate | None:
        if self._semantic is None:
            return None
        found = self._semantic.nearest(self._vector(normal))
        if found is None or self._ids[found[0]] == sample_id:
            return None
        return Duplicate(of=self._ids[found[0]], layer="semantic", similarity=found[1])

    def _vector(self, normal: str) -> Vectors:
        if self._embedded is None or self._embedded[0] != normal:
            self._embedded = (normal, self._embed([normal])[0])
        return self._embedded[1]

    def add(self, sample_id: str, text: str) -> None:
        """Make `text` known, so that later ones are compared with it."""
        normal = normal_text(text)
        self._exact.setdefault(_key(normal), sample_id)
        self._index.add(grams(normal))
        if self._semantic is not None:
            self._semantic.add(self._vector(normal))
        self._ids.append(sample_id)
        self._texts.append(normal)


def dedup_text(sample: Sample) -> str:
    """What is compared of a sample: question and answer, code without comments and local names.

    A function completion is the function as it would stand in a file, its docstring included; the
    words of a question-and-answer sample are compared without punctuation.
    """
    if sample.type == "function_completion":
        return normal_code(whole_function(sample))
    if sample.test_code:
        return f"{_words(sample.question)}\n{normal_code(sample.answer)}"
    return f"{_words(sample.question)}\n{_words(sample.answer)}"


def whole_function(sample: Sample) -> str:
    """A function completion as it would stand in a file: the stub with its body."""
    stub = _LAST_PASS.sub("", sample.question)
    return f"{stub}\n{sample.answer}"


def dedup_samples(
    samples: Iterable[Sample],
    *,
    threshold: float = 0.85,
    semantic_threshold: float = 0.0,
    embed: Embed = hashed_ngrams,
) -> tuple[list[Sample], list[tuple[Sample, Duplicate]]]:
    """Samples that stay, by rank, and those that repeat one of them, with why.

    Independent of the order of `samples`: the lower rank stays, then the lower id. It is what a
    `Deduplicator` decides one by one, in a batch.

    Args:
        semantic_threshold: cosine similarity; 0 leaves that layer out.
    """
    ordered = by_rank(samples)
    texts = [normal_text(dedup_text(sample)) for sample in ordered]
    vectors = SemanticBlocks(embed(texts), semantic_threshold) if semantic_threshold else None
    kept: list[Sample] = []
    dropped: list[tuple[Sample, Duplicate]] = []
    first: dict[str, str] = {}
    for sample, text, twin in zip(
        ordered, texts, near_duplicates(texts, threshold, vectors=vectors), strict=True
    ):
        if twin is None:
            kept.append(sample)
            first.setdefault(text, sample.id)
        elif text in first:
            dropped.append((sample, Duplicate(first[text], "exact", 1.0)))
        else:
            of = ordered[twin.of].id
            dropped.append((sample, Duplicate(of, twin.layer, twin.similarity)))
    return kept, dropped


def by_rank(samples: Iterable[Sample]) -> Sequence[Sample]:
    """`samples` in the order in which duplicates are decided and rows are written."""
    return sorted(samples, key=lambda sample: (sample.rank, sample.id))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
