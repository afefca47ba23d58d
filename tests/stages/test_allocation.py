"""Allocation: a pure function of chunks, configuration and seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from synth_dspy.records import Chunk, CodeBlock, Image
from synth_dspy.stages.allocation import (
    AllocationOptions,
    allocate,
    diversity_sweep,
    targets,
)

OPTIONS = AllocationOptions(
    target=60,
    shares={
        "function_completion": (0.35, 0.2),
        "code_generation": (0.30, 0.0),
        "qa": (0.35, 0.5),
    },
    difficulties={"easy": 1, "medium": 2, "hard": 1},
)


def chunk(name: str, *, functions: int = 0, images: int = 0, words: int = 200) -> Chunk:
    code = "\n".join(f"def f{i}(x):\n    return x\n" for i in range(functions))
    blocks = (CodeBlock(code, "python", 0, 0),) if functions else ()
    pictures = tuple(
        Image(f"{name}i{i}", "0" * 64, "image/png", "output", code="f0(1)", caption="A chart")
        for i in range(images)
    )
    return Chunk(
        id=name, document_id="d", path="p.md", source="s", kind="md", sha256="0" * 64,
        text="word " * words, start=0, end=5 * words, code_blocks=blocks, images=pictures,
    )  # fmt: skip


CHUNKS = [
    chunk(f"c{i:02}", functions=i % 4, images=(i % 5 == 0) * 2, words=50 + 20 * i)
    for i in range(40)
]


def test_the_targets_sum_to_what_was_asked() -> None:
    assert targets(OPTIONS) == {
        ("function_completion", "text"): 17,
        ("function_completion", "multimodal"): 4,
        ("code_generation", "text"): 18,
        ("qa", "text"): 10,
        ("qa", "multimodal"): 11,
    }
    for target in range(1, 40):
        assert sum(targets(replace(OPTIONS, target=target)).values()) == target


def test_the_order_of_the_chunks_means_nothing() -> None:
    shuffled = list(CHUNKS)
    random.Random(1).shuffle(shuffled)
    assert allocate(shuffled, OPTIONS) == allocate(CHUNKS, OPTIONS)


def test_a_task_keeps_its_id_and_difficulty_when_documents_are_added() -> None:
    before = {task.id: task for task in allocate(CHUNKS, OPTIONS)}
    after = {task.id: task for task in allocate([*CHUNKS, chunk("new", functions=2)], OPTIONS)}
    assert before.items() <= after.items()


def test_no_task_stands_twice() -> None:
    tasks = allocate(CHUNKS, OPTIONS)
    assert len({task.id for task in tasks}) == len(tasks)


def test_code_is_asked_only_where_there_is_a_function_and_pictures_where_there_is_one() -> None:
    by_id = {c.id: c for c in CHUNKS}
    for task in allocate(CHUNKS, OPTIONS):
        source = by_id[task.chunk_id]
        if task.type != "qa" and task.modality == "text":
            assert source.code_blocks
        if task.modality == "multimodal":
            assert task.image_id in {image.id for image in source.images}
        else:
            assert task.image_id == ""


def test_decorative_images_are_never_asked_about() -> None:
    base = chunk("c", images=2)
    pictures = tuple(replace(image, decorative=True) for image in base.images)
    tasks = allocate([replace(base, images=pictures)], OPTIONS)
    assert all(task.modality == "text" for task in tasks)


def test_a_prefix_of_the_ranks_has_about_the_asked_proportions() -> None:
    made = Counter((task.type, task.modality) for task in allocate(CHUNKS, OPTIONS)[:30])
    for cell, wanted in targets(OPTIONS).items():
        assert made[cell] == pytest.approx(wanted / 2, abs=2)


def test_a_diversity_weight_spreads_tasks_over_more_chunks() -> None:
    points = diversity_sweep(CHUNKS, OPTIONS, weights=(0.0, 0.4, 1.0), planned=60)
    coverage = [point["chunk_coverage"] for point in points]
    assert coverage == sorted(coverage)
    assert coverage[-1] > coverage[0]


def test_difficulties_come_in_about_the_asked_weights() -> None:
    many = [chunk(f"m{i:03}", words=400) for i in range(200)]
    options = replace(OPTIONS, target=1000, shares={"qa": (1.0, 0.0)})
    drawn = Counter(task.difficulty for task in allocate(many, options))
    assert drawn["medium"] / sum(drawn.values()) == pytest.approx(0.5, abs=0.05)
    none_hard = replace(options, difficulties={"easy": 1, "medium": 0, "hard": 0})
    assert {task.difficulty for task in allocate(many, none_hard)} == {"easy"}
