"""Shingles, similarity and candidates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.minhash import (
    HASHES,
    band_keys,
    grams,
    jaccard,
    normal_text,
    rows_for,
    signature,
)

SIGNATURE_START = [3583061221, 928625460, 2569156995]


def five_grams(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(len(text) - 4)} if len(text) >= 5 else {text}


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_similarity_is_the_jaccard_of_character_five_grams(a: str, b: str) -> None:
    own, other = five_grams(a), five_grams(b)
    expected = len(own & other) / len(own | other)
    assert jaccard(grams(a), grams(b)) == pytest.approx(expected)


@given(st.text(max_size=200))
def test_every_text_has_a_full_signature(text: str) -> None:
    assert signature(grams(text)).shape == (HASHES,)


def test_a_signature_is_the_same_on_every_machine() -> None:
    row = signature(grams("the quick brown fox"))
    assert [int(value) for value in row[:3]] == SIGNATURE_START


def test_case_width_and_white_space_do_not_count() -> None:
    assert normal_text("  \uff37\uff48\uff41\uff54\tIS\n\nit ") == "what is it"


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.85, 0.95, 1.0])
def test_a_pair_at_the_threshold_is_nearly_always_a_candidate(threshold: float) -> None:
    rows = rows_for(threshold)
    assert 1 - (1 - threshold**rows) ** (HASHES // rows) >= 0.995


def test_a_lower_threshold_needs_narrower_bands() -> None:
    assert rows_for(0.3) < rows_for(0.85) < rows_for(0.99)


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="similarity threshold"):
        rows_for(threshold)


def test_the_same_words_in_another_band_are_no_candidates() -> None:
    keys = band_keys(signature(grams("a short text about graphs")), 7)
    assert len(set(keys)) == len(keys) == HASHES // 7
