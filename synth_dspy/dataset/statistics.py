"""Everything that `statistics.json`, the plots, the card and the report say in numbers.

Samples, chunks, rejected samples and the stages' summaries enter, one JSON object leaves. It knows
records and summaries, not the stages that wrote them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.diversity import diversity, growth
from synth_dspy.dataset.groups import image_key
from synth_dspy.dataset.split import SPLITS, deviations
from synth_dspy.dataset.tallies import by_count, in_order, spread, stage_line, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from synth_dspy.dataset.rejected import Rejected
    from synth_dspy.records import Chunk, Sample

DEFAULT_RATIOS = (0.70, 0.15, 0.15)
_QUALITIES = ("HIGH", "MEDIUM", "LOW")


def statistics(
    samples: Sequence[Sample],
    chunks: Sequence[Chunk] = (),
    *,
    stage_summaries: Mapping[str, Mapping[str, Any]] | None = None,
    rejected: Sequence[Rejected] = (),
    ratios: tuple[float, float, float] = DEFAULT_RATIOS,
    sweep: Sequence[Mapping[str, float]] = (),
    contamination: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The numbers of a dataset, as one JSON object.

    Args:
        samples: the rows of the dataset, with their splits.
        chunks: the passages that samples could be made from.
        stage_summaries: `summary.json` of each stage, by stage, in the order of the recipe.
        rejected: samples that were made and not accepted.
        ratios: of the splits as they were asked for.
        sweep: what allocation would do at other diversity weights: objects with
            `diversity_weight`, `chunk_coverage`, `image_coverage` and `mean_quality`, 0 to 1 each.
        contamination: the object of contamination.py; None when nothing was checked.
    """
    summaries = stage_summaries or {}
    return {
        "total": len(samples),
        "counts": counts(samples),
        "splits": {
            "ratios": dict(zip(SPLITS, ratios, strict=True)),
            "cells": deviations(samples, ratios),
        },
        "multimodal": _multimodal(samples),
        "lengths": _lengths(samples),
        "answer_lengths": {
            kind: spread([len(sample.answer) for sample in samples if sample.type == kind])
            for kind in counts(samples)["type"]
        },
        "attempts": _attempts(samples),
        "verification": verification(samples),
        "stages": [stage_line(name, summary) for name, summary in summaries.items()],
        "usage": usage_of(summaries),
        "rejected": _rejected(rejected),
        "chunks": _chunks(chunks),
        "coverage": _coverage(samples, chunks),
        "diversity": diversity([sample.question for sample in samples]),
        "contamination": dict(contamination) if contamination is not None else None,
        "growth": growth(samples, chunk_total=len(chunks)),
        "sweep": [dict(point) for point in sweep],
    }


def counts(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """How many samples by split, type, category, difficulty, modality and source; most first."""
    return {
        "split": in_order(Counter(s.split or "none" for s in samples), SPLITS),
        "type": by_count(Counter(s.type for s in samples)),
        "category": by_count(Counter(s.category or "none" for s in samples)),
        "difficulty": in_order(Counter(s.difficulty for s in samples), ("easy", "medium", "hard")),
        "modality": in_order(Counter(map(modality, samples)), ("text", "multimodal")),
        "source": by_count(Counter(s.source for s in samples)),
    }


def modality(sample: Sample) -> str:
    """`multimodal` for a sample with an image, else `text`."""
    return "multimodal" if sample.has_image else "text"


def verification(samples: Sequence[Sample]) -> dict[str, Any]:
    """What was checked, and how: isolation, assurance, oracle, tests, mutants, the judge."""
    code = [s for s in samples if s.test_code]
    checks = [c for s in code if isinstance(c := s.metadata.get("check"), dict)]
    judged = [j for s in samples if isinstance(j := s.metadata.get("judgement"), dict)]
    criteria: Counter[str] = Counter()
    for judgement in judged:
        criteria.update(name for name, met in (judgement.get("criteria") or {}).items() if met)
    run = sum(int(c.get("mutants_run") or 0) for c in checks)
    killed = sum(int(c.get("mutants_killed") or 0) for c in checks)
    return {
        "code_samples": len(code),
        "executed": len(checks),
        "isolation": by_count(Counter(str(c.get("isolation") or "unknown") for c in checks)),
        "assurance": by_count(Counter(str(c.get("assurance") or "unknown") for c in checks)),
        "oracle": by_count(Counter(str(c.get("oracle") or "unknown") for c in checks)),
        "tests": sum(int(c.get("tests") or 0) for c in checks),
        "tests_by_sample": _histogram(Counter(int(c.get("tests") or 0) for c in checks)),
        "mutants_run": run,
        "mutants_killed": killed,
        "kill_rate": round(killed / run, 4) if run else None,
        "kill_rates": _kill_rates(checks),
        "judged": len(judged),
        "judge_passed": sum(bool(j.get("passed")) for j in judged),
        "criteria_met": by_count(criteria),
        "images_seen": sum(bool(j.get("image_seen")) for s, j in _pictured(samples)),
        "images_unseen": sum(not j.get("image_seen") for s, j in _pictured(samples)),
    }


def _pictured(samples: Sequence[Sample]) -> list[tuple[Sample, dict[str, Any]]]:
    return [
        (s, j)
        for s in samples
        if s.has_image and isinstance(j := s.metadata.get("judgement"), dict)
    ]


def _multimodal(samples: Sequence[Sample]) -> dict[str, dict[str, dict[str, int]]]:
    """Text and multimodal samples by split, type and category."""
    sides: dict[str, Callable[[Sample], str]] = {
        "split": lambda s: s.split or "none",
        "type": lambda s: s.type,
        "category": lambda s: s.category or "none",
    }
    result: dict[str, dict[str, dict[str, int]]] = {}
    for side, value in sides.items():
        order = counts(samples)[side]
        result[side] = {name: {"text": 0, "multimodal": 0} for name in order}
        for sample in samples:
            result[side][value(sample)][modality(sample)] += 1
    return result


def _lengths(samples: Sequence[Sample]) -> dict[str, dict[str, Any]]:
    """Characters of each text column, of samples where it is not empty."""
    texts = {
        "question": [s.question for s in samples],
        "answer": [s.answer for s in samples],
        "test_code": [s.test_code for s in samples if s.test_code],
        "code_context": [s.code_context for s in samples if s.code_context],
    }
    return {name: spread([len(text) for text in column]) for name, column in texts.items()}


def _attempts(samples: Sequence[Sample]) -> dict[str, Any]:
    """How often each model step asked, corrections included, until it was satisfied."""
    steps: dict[str, Counter[int]] = {}
    for sample in samples:
        for name, step in (sample.metadata.get("steps") or {}).items():
            steps.setdefault(name, Counter())[int(step.get("attempts") or 0)] += 1
    return {name: _histogram(tally) for name, tally in sorted(steps.items())}


def _rejected(rejected: Iterable[Rejected]) -> dict[str, Any]:
    rows = list(rejected)
    by_stage: dict[str, Counter[str]] = {}
    for row in rows:
        by_stage.setdefault(row.stage, Counter())[row.reason] += 1
    return {
        "total": len(rows),
        "by_stage": {stage: by_count(tally) for stage, tally in sorted(by_stage.items())},
    }


def _chunks(chunks: Sequence[Chunk]) -> dict[str, Any]:
    return {
        "total": len(chunks),
        "chars": spread([len(chunk.text) for chunk in chunks]),
        "quality": in_order(Counter(chunk.quality for chunk in chunks), _QUALITIES),
        "kind": by_count(Counter(chunk.kind for chunk in chunks)),
        "with_images": sum(bool(chunk.images) for chunk in chunks),
        "with_code": sum(bool(chunk.code_blocks) for chunk in chunks),
        "code_blocks": spread([len(chunk.code_blocks) for chunk in chunks]),
        "images": spread([len(chunk.images) for chunk in chunks]),
    }


def _coverage(samples: Sequence[Sample], chunks: Sequence[Chunk]) -> dict[str, Any]:
    """How many of the chunks and images were used, and how often each of the used ones."""
    used = Counter(s.chunk_id for s in samples if s.chunk_id)
    pictures = Counter(image_key(s) for s in samples if s.has_image)
    offered = {image.sha256 for chunk in chunks for image in chunk.images}
    return {
        "chunks": _share(len(used), max(len(chunks), len(used))),
        "images": _share(len(pictures), max(len(offered), len(pictures))),
        "chunk_reuse": _histogram(Counter(used.values())),
        "image_reuse": _histogram(Counter(pictures.values())),
    }


def _share(used: int, total: int) -> dict[str, Any]:
    return {"used": used, "total": total, "share": round(used / total, 4) if total else None}


def _histogram(tally: Counter[int]) -> dict[str, int]:
    return {str(value): tally[value] for value in sorted(tally)}


def _kill_rates(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Samples by the share of mutants killed, in steps of 10%: "0" is 0 to 9%, "100" is all."""
    tally: Counter[int] = Counter()
    for check in checks:
        if run := int(check.get("mutants_run") or 0):
            tally[int(check.get("mutants_killed") or 0) * 10 // run * 10] += 1
    return _histogram(tally)
