"""How varied texts are."""

import pytest

from synth_dspy.dataset.diversity import compression_ratio, distinct, diversity, growth
from tests.dataset.made import sample


def test_distinct_is_the_share_of_different_ngrams() -> None:
    assert distinct(["a b a b"], 1) == 0.5
    assert distinct(["a b a b"], 2) == pytest.approx(2 / 3, abs=1e-4)


def test_ngrams_do_not_cross_texts() -> None:
    assert distinct(["a", "b"], 2) is None


def test_repetition_compresses_better_than_variety() -> None:
    same = ["the average of a sample"] * 20
    varied = [sample(3 * n + 2).question for n in range(20)]
    one, other = compression_ratio(same), compression_ratio(varied)
    assert one is not None
    assert other is not None
    assert one > 2 * other


def test_nothing_has_no_diversity() -> None:
    assert set(diversity([]).values()) == {None}


def test_growth_ends_with_all_samples_and_never_loses_a_chunk() -> None:
    samples = [sample(n, chunk_id=f"c{n % 5}") for n in range(100)]
    points = growth(samples, chunk_total=10)
    assert points[-1]["samples"] == 100
    assert points[-1]["chunks"] == 5
    assert points[-1]["chunk_coverage"] == 0.5
    assert [p["chunks"] for p in points] == sorted(p["chunks"] for p in points)
    assert len(points) == 40


def test_growth_without_chunks_says_nothing_of_coverage() -> None:
    assert "chunk_coverage" not in growth([sample(1)], chunk_total=0)[0]
