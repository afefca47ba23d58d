"""Whether a finished sample may be in a dataset, decided in rank order: one place for all rules.

First what is a property of the sample alone (benchmark items, secrets, personal data), then whether
it repeats one that was admitted before. The same rules on the same samples in the same order admit
the same: that is why a streaming run and `build` agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.dataset.dedup import Deduplicator, dedup_text
from synth_dspy.dataset.embedding import embedder
from synth_dspy.dataset.embedding_cache import CachedEmbed
from synth_dspy.dataset.scan_policy import Refusal, ScanPolicy

if TYPE_CHECKING:
    from pathlib import Path

    from synth_dspy.dataset.decontaminate import Hit
    from synth_dspy.records import Sample


@dataclass(frozen=True)
class Rules:
    """What is asked of a sample.

    Attributes:
        threshold: Jaccard similarity from which two samples are duplicates.
        semantic_threshold: cosine similarity of embeddings; 0 leaves the layer out.
        embedding_model: None for hashed n-grams, else what `embedder` takes.
        embeddings: the file that keeps what an embedding model said.
    """

    threshold: float = 0.85
    deduplicate: bool = True
    semantic_threshold: float = 0.0
    embedding_model: str | None = None
    embeddings: Path | None = None
    policy: ScanPolicy = field(default_factory=ScanPolicy)
    benchmarks: Benchmarks = field(default_factory=Benchmarks)

    def identity(self) -> object:
        """Everything that decides what is admitted."""
        dedup = (self.threshold, self.deduplicate, self.semantic_threshold, self.embedding_model)
        policy = (self.policy.secrets, self.policy.personal_data)
        return (dedup, policy, self.benchmarks.identity)


class Admission:
    """Admits samples, in the order of their ranks.

    Attributes:
        hits: benchmark items that refused samples repeat.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.hits: list[Hit] = []
        self._known = _deduplicator(rules) if rules.deduplicate else None

    def admit(self, sample: Sample) -> Sample | Refusal:
        """The sample as it is admitted, or why it is not; what is admitted is remembered.

        Reasons: `contaminated`, `secret`, `personal_data`, `exact_duplicate`, `near_duplicate`,
        `semantic_duplicate`.

        Raises:
            SetupError: the embedding model did not answer, or is not installed.
        """
        if hits := self._contamination(sample):
            self.hits.extend(hits)
            return Refusal("contaminated", said(hits))
        allowed = self._rules.policy.sample(sample)
        if isinstance(allowed, Refusal) or self._known is None:
            return allowed
        text = dedup_text(allowed)
        if twin := self._known.duplicate_of(allowed.id, text):
            detail = f"{twin.layer} duplicate of sample {twin.of} ({twin.similarity:.2f})"
            return Refusal(f"{twin.layer}_duplicate", detail)
        self._known.add(allowed.id, text)
        return allowed

    def _contamination(self, sample: Sample) -> list[Hit]:
        if not self._rules.benchmarks.paths:
            return []
        return self._rules.benchmarks.decontaminator.hits(sample)


def said(hits: list[Hit]) -> str:
    """Hits as a person reads them: `HumanEval HumanEval/3 (words 1.00)`."""
    return "; ".join(f"{h.benchmark} {h.item} ({h.layer} {h.overlap:.2f})" for h in hits)


def _deduplicator(rules: Rules) -> Deduplicator:
    if not rules.semantic_threshold:
        return Deduplicator(rules.threshold)
    embed = embedder(rules.embedding_model)
    if rules.embedding_model is not None and rules.embeddings is not None:
        embed = CachedEmbed(embed, rules.embedding_model, rules.embeddings)
    return Deduplicator(rules.threshold, semantic_threshold=rules.semantic_threshold, embed=embed)
