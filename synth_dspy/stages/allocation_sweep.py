"""What other settings would do to an allocation: coverage, reuse and reach, without a model call.

Chunks and options enter; figures and a recommendation leave. Nothing is planned by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from synth_dspy.records import Chunk, Task
from synth_dspy.stages.allocation import QUALITY, AllocationOptions, Cell, allocate, targets

WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
FACTORS = (1.0, 1.2, 1.5, 1.8, 2.2, 2.6, 3.0)
SIZES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Targets that are tried, as shares of the one that was asked for."""

_WORTH = 0.02
"""A higher diversity weight is worth it for two more chunks in a hundred."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How tasks use chunks and images.

    Attributes:
        chunks_used, images_used: of `chunks` and `images`, those that any task is about.
        reuse_mean, reuse_max: tasks a used chunk.
        mean_quality: of the chunks, a task each, 0..1.
    """

    tasks: int
    chunks: int
    chunks_used: int
    images: int
    images_used: int
    reuse_mean: float
    reuse_max: int
    mean_quality: float

    @property
    def chunk_share(self) -> float:
        """Chunks that are used, 0..1."""
        return self.chunks_used / self.chunks if self.chunks else 0.0


def coverage(tasks: Sequence[Task], chunks: Sequence[Chunk]) -> Coverage:
    """How these tasks use these chunks."""
    quality = {chunk.id: QUALITY[chunk.quality] for chunk in chunks}
    uses = Counter(task.chunk_id for task in tasks)
    images = {image.id for chunk in chunks for image in chunk.images if not image.decorative}
    mean = sum(quality.get(task.chunk_id, 0.0) for task in tasks) / len(tasks) if tasks else 0.0
    return Coverage(
        tasks=len(tasks),
        chunks=len(chunks),
        chunks_used=len(uses),
        images=len(images),
        images_used=len({task.image_id for task in tasks if task.image_id}),
        reuse_mean=round(len(tasks) / len(uses), 3) if uses else 0.0,
        reuse_max=max(uses.values(), default=0),
        mean_quality=round(mean, 4),
    )


def coverage_line(found: Coverage) -> str:
    """One line for the user."""
    images = f", {found.images_used} of {found.images} images" if found.images else ""
    return (
        f"{found.tasks} tasks on {found.chunks_used} of {found.chunks} passages "
        f"({found.chunk_share:.0%}){images}; {found.reuse_mean:.1f} tasks a passage that is used, "
        f"{found.reuse_max} at most"
    )


def sweep_allocation(
    chunks: Sequence[Chunk], options: AllocationOptions, *, factor: float, acceptance: float
) -> dict[str, Any]:
    """Sweep diversity weight, over-allocation and target around `options`, and recommend.

    Args:
        factor: the over-allocation that is configured.
        acceptance: share of the tasks that become accepted samples, 0..1.

    Returns:
        JSON: `diversity_weight`, `over_allocation_factor` and `target`, each a list of points;
        `scarce`, the cells that the chunks cannot fill; and `recommended`.
    """
    wanted = targets(options)
    weights = [
        {
            "diversity_weight": weight,
            **_figures(
                allocate(chunks, replace(options, diversity_weight=weight)), chunks, options, factor
            ),
        }
        for weight in WEIGHTS
    ]
    tasks = allocate(chunks, options)
    factors = [
        {
            "over_allocation_factor": tried,
            **_figures(tasks, chunks, options, tried),
            "expected_accepted": _expected(tasks, wanted, tried, acceptance),
        }
        for tried in FACTORS
    ]
    sizes = [_size(chunks, options, max(1, round(options.target * share)), acceptance, factor)
             for share in SIZES]  # fmt: skip
    borne = Counter((task.type, task.modality) for task in tasks)
    scarce = [
        {"type": kind, "modality": modality, "wanted": count, "tasks": borne[kind, modality]}
        for (kind, modality), count in sorted(wanted.items())
        if borne[kind, modality] * acceptance < count
    ]
    most = max(p["expected_accepted"] for p in factors)
    enough = [p["over_allocation_factor"] for p in factors if p["expected_accepted"] >= most]
    return {
        "target_samples": options.target,
        "chunks": len(chunks),
        "tasks": len(tasks),
        "diversity_weight": weights,
        "over_allocation_factor": factors,
        "target": sizes,
        "scarce": scarce,
        "recommended": {
            "diversity_weight": _knee(weights, options.diversity_weight),
            "over_allocation_factor": min(enough),
            "target_samples": _reachable(wanted, borne, acceptance),
        },
    }


def _figures(
    tasks: Sequence[Task], chunks: Sequence[Chunk], options: AllocationOptions, factor: float
) -> dict[str, Any]:
    found = coverage(tasks[: round(options.target * factor)], chunks)
    return {**asdict(found), "chunk_coverage": round(found.chunk_share, 4)}


def _expected(
    tasks: Sequence[Task], wanted: dict[Cell, int], factor: float, acceptance: float
) -> int:
    """Accepted samples of the first `factor` tasks for each one wanted, no cell over its target."""
    borne = Counter((task.type, task.modality) for task in tasks)
    return round(
        sum(
            min(count, min(borne[cell], count * factor) * acceptance)
            for cell, count in wanted.items()
        )
    )


def _size(
    chunks: Sequence[Chunk],
    options: AllocationOptions,
    target: int,
    acceptance: float,
    factor: float,
) -> dict[str, Any]:
    sized = replace(options, target=target)
    tasks, wanted = allocate(chunks, sized), targets(sized)
    borne = Counter((task.type, task.modality) for task in tasks)
    return {
        "target_samples": target,
        **_figures(tasks, chunks, sized, factor),
        "reachable": _reachable(wanted, borne, acceptance),
    }


def _reachable(wanted: dict[Cell, int], borne: Counter[Cell], acceptance: float) -> int:
    """Samples that the tasks there are would fill of the target, at this acceptance."""
    return sum(min(count, int(borne[cell] * acceptance)) for cell, count in wanted.items())


def _knee(points: Sequence[dict[str, Any]], configured: float) -> float:
    """The lowest weight after which no higher one is worth it; the configured one if it does."""
    best = max(point["chunk_coverage"] for point in points)
    good = [p["diversity_weight"] for p in points if p["chunk_coverage"] >= best - _WORTH]
    return configured if configured in good else float(min(good))
