"""Chunks -> Tasks in rank order: a pure function of the chunks, the configuration and the seed.

A cell is a question type and a modality. Within a cell, tasks come by suitability of their chunk,
less a penalty for each task that the chunk or its image already has; the cells are then interleaved
so that a prefix of the ranks has about the proportions that were asked for. What a chunk can bear
is the question type's to say: nothing here knows one by name.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from synth_dspy.programs.types import TYPES, Kind, by_name
from synth_dspy.records import Chunk, Difficulty, Image, Modality, QuestionType, Task, digest

Cell = tuple[QuestionType, Modality]

_RESERVE = 50
QUALITY = {"HIGH": 1.0, "MEDIUM": 0.7, "LOW": 0.3}


@dataclass(frozen=True, slots=True)
class AllocationOptions:
    """What was asked for.

    Attributes:
        target: accepted samples wanted.
        shares: by type, its ratio of the target and the multimodal ratio within it, both 0..1.
        difficulties: weights, at least one above zero.
        diversity_weight: penalty, in units of suitability, of each reuse of a chunk or an image.
        max_ordinals: tasks of one type on one chunk or image, at most.
    """

    target: int
    shares: Mapping[QuestionType, tuple[float, float]]
    difficulties: Mapping[Difficulty, float]
    diversity_weight: float = 0.4
    max_ordinals: int = 12
    seed: int = 42


@dataclass(order=True, slots=True)
class _Offer:
    """A task that a cell could take next; the heap pops the lowest `cost`, ties by `tie`."""

    cost: float
    tie: str
    chunk: Chunk = field(compare=False)
    image: Image | None = field(compare=False)
    ordinal: int = field(compare=False)
    suitability: float = field(compare=False)


def targets(options: AllocationOptions, types: Sequence[Kind] = TYPES) -> dict[Cell, int]:
    """How many samples each cell is to have; they sum to the target (largest remainder).

    A type that never, or always, is about an image has one cell, whatever its multimodal ratio.
    """
    kinds = by_name(tuple(types))
    exact: dict[Cell, float] = {}
    for kind, (ratio, asked) in options.shares.items():
        multimodal = {"never": 0.0, "always": 1.0}.get(kinds[kind].image, asked)
        exact[kind, "text"] = options.target * ratio * (1 - multimodal)
        exact[kind, "multimodal"] = options.target * ratio * multimodal
    result = {cell: int(share) for cell, share in exact.items()}
    missing = options.target - sum(result.values())
    by_remainder = sorted(exact, key=lambda cell: (result[cell] - exact[cell], cell))
    for cell in by_remainder[:missing]:
        result[cell] += 1
    return {cell: count for cell, count in result.items() if count > 0}


def allocate(
    chunks: Iterable[Chunk], options: AllocationOptions, types: Sequence[Kind] = TYPES
) -> list[Task]:
    """Every task that the chunks can bear, in rank order; the rank is the index."""
    ordered = sorted(chunks, key=lambda chunk: chunk.id)
    wanted = targets(options, types)
    kinds = by_name(tuple(types))
    offers = {cell: _offers(cell, kinds[cell[0]], ordered, options) for cell in wanted}
    uses: Counter[str] = Counter()
    queues: dict[Cell, list[Task]] = {}
    for cell in sorted(wanted, key=lambda c: (len(offers[c]) / wanted[c], c)):  # scarce first
        limit = max(_RESERVE * wanted[cell], 200)
        queues[cell] = _fill(cell, kinds[cell[0]], offers[cell], uses, options, limit)
    return _interleave(queues, wanted)


def _offers(
    cell: Cell, kind: Kind, chunks: Sequence[Chunk], options: AllocationOptions
) -> list[_Offer]:
    name, modality = cell
    offers = []
    for chunk in chunks:
        images: list[Image | None] = [None]
        if modality == "multimodal":
            images = [image for image in chunk.images if not image.decorative]
        for image in images:
            suitability = kind.suits(chunk, image)
            if suitability > 0:
                tie = digest(options.seed, name, modality, chunk.id, image.id if image else "")
                offers.append(_Offer(-suitability, tie, chunk, image, 0, suitability))
    return offers


def _fill(
    cell: Cell,
    kind: Kind,
    heap: list[_Offer],
    uses: Counter[str],
    options: AllocationOptions,
    limit: int,
) -> list[Task]:
    """The tasks of one cell, best first. A popped offer whose chunk was used since goes back."""
    tasks: list[Task] = []
    for offer in heap:
        offer.cost = _cost(offer, uses, options)
    heapq.heapify(heap)
    while heap and len(tasks) < limit:
        offer = heapq.heappop(heap)
        cost = _cost(offer, uses, options)
        if cost > offer.cost + 1e-12:
            offer.cost = cost
            heapq.heappush(heap, offer)
            continue
        tasks.append(_task(cell, offer, options))
        uses[offer.chunk.id] += 1
        if offer.image is not None:
            uses[offer.image.id] += 1
        borne = min(kind.bears(offer.chunk, offer.image), options.max_ordinals)
        if offer.ordinal + 1 < borne:
            offer.ordinal += 1
            offer.cost = _cost(offer, uses, options)
            heapq.heappush(heap, offer)
    return tasks


def _cost(offer: _Offer, uses: Counter[str], options: AllocationOptions) -> float:
    reuse = uses[offer.chunk.id] + (uses[offer.image.id] if offer.image else 0)
    return options.diversity_weight * reuse - offer.suitability


def _task(cell: Cell, offer: _Offer, options: AllocationOptions) -> Task:
    kind, modality = cell
    image_id = offer.image.id if offer.image else ""
    made_of = (kind, modality, offer.chunk.id, image_id, offer.ordinal)
    return Task(
        id=digest("task", *made_of)[:16],
        type=kind,
        modality=modality,
        difficulty=_difficulty(options, *made_of),
        chunk_id=offer.chunk.id,
        image_id=image_id,
        ordinal=offer.ordinal,
    )


def _difficulty(options: AllocationOptions, *made_of: object) -> Difficulty:
    """Drawn by weight from a hash, so a task keeps its difficulty whatever stands around it."""
    draw = int(digest(options.seed, "difficulty", *made_of)[:12], 16) / 16**12
    levels = [(level, weight) for level, weight in options.difficulties.items() if weight > 0]
    draw *= sum(weight for _, weight in levels)
    for level, weight in levels:
        if draw < weight:
            return level
        draw -= weight
    return levels[-1][0]


def _interleave(queues: Mapping[Cell, list[Task]], wanted: Mapping[Cell, int]) -> list[Task]:
    """One order in which every cell progresses at the pace of its target."""
    placed = [
        ((index + 0.5) / wanted[cell], cell, index)
        for cell in queues
        for index in range(len(queues[cell]))
    ]
    return [queues[cell][index] for _, cell, index in sorted(placed)]


def diversity_sweep(
    chunks: Sequence[Chunk], options: AllocationOptions, *, weights: Sequence[float], planned: int
) -> list[dict[str, float]]:
    """What other diversity weights would do to the first `planned` tasks; asks no model.

    Returns:
        For each weight `diversity_weight`, `chunk_coverage` and `image_coverage` (share of the
        chunks and images that are used, 0..1), and `mean_quality` (of the chunks used, 0..1).
    """
    quality = {chunk.id: QUALITY[chunk.quality] for chunk in chunks}
    images = {image.id for chunk in chunks for image in chunk.images if not image.decorative}
    points = []
    for weight in weights:
        tasks = allocate(chunks, replace(options, diversity_weight=weight))[:planned]
        used = {task.chunk_id for task in tasks}
        pictured = {task.image_id for task in tasks if task.image_id}
        mean = sum(quality[task.chunk_id] for task in tasks) / len(tasks) if tasks else 0.0
        points.append(
            {
                "diversity_weight": weight,
                "chunk_coverage": len(used) / len(chunks) if chunks else 0.0,
                "image_coverage": len(pictured) / len(images) if images else 0.0,
                "mean_quality": mean,
            }
        )
    return points
