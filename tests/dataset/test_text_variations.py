"""How users' turns are changed: by rule, the same each time, and never in what they say."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.config.conversations import Modality, Variation
from synth_dspy.dataset.text_variations import MODALITIES, VARIATIONS, varied

ASKED = "Hello! Can you please tell me what the Kestrel Two costs? I'm looking for 2 of them."


def change(text: str = ASKED, modality: str = "standard", variation: str = "none") -> str:
    return varied(text, modality=modality, variation=variation, key="k")


def test_every_configurable_name_has_its_rule() -> None:
    assert set(VARIATIONS) == set(get_args(Variation))
    assert set(MODALITIES) == set(get_args(Modality))


def test_standard_without_a_variation_changes_nothing() -> None:
    assert change() == ASKED


def test_lowercase_has_no_capital() -> None:
    assert change(variation="lowercase") == ASKED.lower()


def test_no_punctuation_keeps_the_points_inside_numbers() -> None:
    said = change("It costs 4.90 euros, right?", variation="no_punctuation")
    assert said == "It costs 4.90 euros right"


def test_abbreviations_are_those_of_short_messages() -> None:
    assert "u pls tell me" in change(variation="abbreviations")


def test_typos_change_places_of_letters_only() -> None:
    text = "something about returning several different products together please"
    said = change(text, variation="typos")
    assert said != text
    assert sorted(said) == sorted(text)


def test_a_phone_starts_small_and_drops_apostrophes() -> None:
    assert change(modality="typed_on_phone").startswith("hello! Can you")
    assert "im looking" in change(modality="typed_on_phone")


def test_dictation_has_no_marks_and_no_capitals() -> None:
    said = change(modality="voice_dictated")
    assert said == said.lower()
    assert not set("?!,.") & set(said)


def test_a_text_of_marks_alone_stays() -> None:
    assert change("???", variation="no_punctuation") == "???"


@pytest.mark.parametrize("modality", sorted(MODALITIES))
@pytest.mark.parametrize("variation", sorted(VARIATIONS))
@given(text=st.text("abcdefg ABC ?!.,'123", min_size=1, max_size=80), key=st.text(max_size=5))
def test_numbers_stay_and_equal_input_gives_equal_output(
    modality: str, variation: str, text: str, key: str
) -> None:
    once = varied(text, modality=modality, variation=variation, key=key)
    assert once == varied(text, modality=modality, variation=variation, key=key)
    assert re.findall(r"\d", once) == re.findall(r"\d", text)
