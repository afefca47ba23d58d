"""How varied texts are."""

import pytest

from synth_dspy.dataset.diversity import (
    compression_ratio,
    distinct,
    diversity,
    growth,
    self_bleu,
)
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


def test_what_others_say_too_has_a_self_bleu_of_one() -> None:
    assert self_bleu(["the river rises over the weir"] * 3) == 1.0
    assert self_bleu(["one two three four", "five six seven eight"]) == 0.0
    assert self_bleu(["alone"]) is None


def test_every_measure_tells_repetition_from_variety() -> None:
    same = diversity([f"Why does the river rise over weir {n}?" for n in range(40)])
    varied = diversity([sample(3 * n + 2).question for n in range(40)])
    assert same["self_bleu"] > varied["self_bleu"]
    assert same["embedding_dispersion"] < varied["embedding_dispersion"]
    assert same["clusters"] == 1
    assert varied["clusters"] > 1


def test_equal_texts_do_not_disperse_at_all() -> None:
    same = diversity(["the river"] * 5)
    assert (same["embedding_dispersion"], same["clusters"]) == (0.0, 1)


def test_diversity_does_not_depend_on_the_order() -> None:
    texts = [sample(n).question for n in range(50)]
    assert diversity(texts) == diversity(texts[::-1])


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
