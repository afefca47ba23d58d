"""A whole analysis made for these tests: samples, chunks, rejected samples, stage summaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.rejected import Rejected
from synth_dspy.dataset.show_samples import show_rejected, show_sample
from synth_dspy.dataset.split import split_samples
from synth_dspy.dataset.statistics import statistics
from tests.dataset.made import chunk, image_record, picture, sample

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from synth_dspy.dataset.shown import Shown
    from synth_dspy.records import Chunk, Sample


@dataclass(frozen=True)
class Whole:
    """What the analysis of a run is made from."""

    samples: list[Sample]
    chunks: list[Chunk]
    rejected: list[Rejected]
    stats: dict[str, Any]

    @property
    def shown(self) -> list[Shown]:
        """All that a report lets people browse."""
        return shown(self.samples, self.rejected)


def shown(samples: Iterable[Sample], rejected: Iterable[Rejected] = ()) -> list[Shown]:
    """Samples and rejected ones as a report takes them."""
    return [*map(show_sample, samples), *map(show_rejected, rejected)]


def summary(stage: str, into: int, out: int, **changes: Any) -> dict[str, Any]:
    """What a stage writes as summary.json."""
    fields = {
        "stage": stage,
        "in": into,
        "out": out,
        "dropped": {},
        "failed": 0,
        "llm_calls": 0,
        "tokens": 0,
        "cost_usd": 0.0,
        "seconds": 1.5,
    }
    return fields | changes


SUMMARIES: dict[str, dict[str, Any]] = {
    "parse": summary("parse", 12, 11, failed=1),
    "chunk": summary("chunk", 11, 60),
    "filter-chunks": summary("filter-chunks", 60, 50, dropped={"too_short": 3, "low_quality": 7}),
    "plan": summary("plan", 80, 80, llm_calls=160, tokens=210_000, cost_usd=0.05),
    "answer": summary(
        "answer", 80, 66, dropped={"test_failed": 9, "weak_tests": 4}, failed=1,
        llm_calls=120, tokens=90_000, cost_usd=0.02,
    ),
    "build": summary("build", 66, 60, dropped={"near_duplicate": 6}),
}  # fmt: skip


def whole(run_dir: Path, count: int = 60) -> Whole:
    """An analysis of `count` samples, a third with images that are drawn below `run_dir`."""
    images = [picture(run_dir, f"{n}.png", size=(160, 100)) for n in range(4)]
    made = [
        sample(n, image=images[n % 4] if n % 3 == 1 else "", chunk_id=f"chunk-{n // 2}")
        for n in range(count)
    ]
    samples = split_samples(made, ratios=(0.7, 0.15, 0.15), seed=42)
    chunks = [
        chunk(n, images=(image_record(images[n % 4]),) if n % 5 == 0 else ()) for n in range(count)
    ]
    rejected = [
        Rejected(
            stage="answer",
            reason=("test_failed", "weak_tests")[n % 2],
            detail=f"AssertionError: expected {n}",
            question=f"Write a function number {n}.",
            type="code_generation",
            source="docs/a.md",
            answer="def f():\n    return 1\n",
            test_code="def check(candidate):\n    assert candidate() == 2\n",
            errors=(f"SyntaxError in attempt {n}", f"AssertionError: expected {n}"),
        )
        for n in range(14)
    ]
    stats = statistics(samples, chunks, stage_summaries=SUMMARIES, rejected=rejected)
    return Whole(samples, chunks, rejected, stats)
