"""Sweeps of an allocation: what they measure is what `allocate` does with such settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synth_dspy.stages.allocation import allocate, targets
from synth_dspy.stages.allocation_sweep import coverage, coverage_line, sweep_allocation
from tests.stages.test_allocation import CHUNKS, OPTIONS, chunk


def test_coverage_counts_each_chunk_and_image_once() -> None:
    tasks = allocate(CHUNKS, OPTIONS)[:60]
    found = coverage(tasks, CHUNKS)
    assert found.chunks == len(CHUNKS)
    assert found.chunks_used == len({task.chunk_id for task in tasks})
    assert found.images_used == len({task.image_id for task in tasks} - {""})
    assert found.reuse_mean == pytest.approx(60 / found.chunks_used, abs=1e-3)
    assert coverage_line(found).startswith(f"60 tasks on {found.chunks_used} of 40 passages")


def test_a_point_of_the_sweep_is_what_allocate_gives_with_its_weight() -> None:
    found = sweep_allocation(CHUNKS, OPTIONS, factor=1.5, acceptance=0.5)
    for point in found["diversity_weight"]:
        options = replace(OPTIONS, diversity_weight=point["diversity_weight"])
        tasks = allocate(CHUNKS, options)[: round(OPTIONS.target * 1.5)]
        assert point["chunks_used"] == len({task.chunk_id for task in tasks})


def test_a_lower_acceptance_needs_a_higher_factor() -> None:
    def factor(acceptance: float) -> float:
        found = sweep_allocation(CHUNKS, OPTIONS, factor=1.8, acceptance=acceptance)
        chosen: float = found["recommended"]["over_allocation_factor"]
        return chosen

    assert factor(1.0) == 1.0
    assert factor(0.9) < factor(0.6)


def test_a_target_out_of_reach_is_cut_to_what_the_chunks_bear_and_the_scarce_cells_named() -> None:
    few = [chunk("a", functions=1, words=60)]
    found = sweep_allocation(few, OPTIONS, factor=1.8, acceptance=1.0)
    tasks = allocate(few, OPTIONS)
    assert found["recommended"]["target_samples"] <= len(tasks) < OPTIONS.target
    assert {(c["type"], c["modality"]) for c in found["scarce"]} <= set(targets(OPTIONS))
    assert ("qa", "multimodal") in {(c["type"], c["modality"]) for c in found["scarce"]}


def test_a_weight_that_spreads_no_less_than_another_is_left_as_it_is() -> None:
    one = [chunk("a", functions=2)]
    options = replace(OPTIONS, diversity_weight=0.6)
    found = sweep_allocation(one, options, factor=1.8, acceptance=1.0)
    assert found["recommended"]["diversity_weight"] == 0.6
