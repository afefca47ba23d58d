"""Numbers, dates and names of an answer that its source does not hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.grounding import ungrounded

SOURCE = (
    "Delivery by Alder Post takes 3 to 5 days and costs 4.90 euros. On Mondays from 9:30 call "
    "Maren Holt, or write to help@shop.example. A thousand tents were sold: 1,000."
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It takes three to five days.", []),
        ("It costs 4,90 euros with Alder Post.", []),
        ("Call Maren Holt on Monday at 9:30.", []),
        ("Write to help@shop.example. Feel free to ask.", []),
        ("We sold 1 000 of them, I think.", []),
        ("It takes 6 days.", ["6"]),
        ("It takes seven days.", ["seven"]),
        ("It costs 5.90 euros.", ["5.90"]),
        ("Call on Tuesday.", ["Tuesday"]),
        ("Ask for Ingrid, please.", ["Ingrid"]),
        ("It comes by DHL.", ["DHL"]),
        ("Write to info@shop.example.", ["info@shop.example"]),
        ("It opens at 9:45 in March.", ["9:45", "March"]),
    ],
)
def test_what_the_source_does_not_hold_is_found(text: str, found: list[str]) -> None:
    assert ungrounded(text, SOURCE) == found


def test_a_word_that_opens_a_sentence_is_no_name() -> None:
    assert ungrounded("Certainly. Delivery is quick: Parcels arrive soon.", SOURCE) == []


@given(st.text(max_size=300))
def test_a_text_is_grounded_in_itself(text: str) -> None:
    assert ungrounded(text, text) == []


@given(st.integers(10_000, 99_999))
def test_a_changed_number_is_found(number: int) -> None:
    assert ungrounded(f"It costs {number} euros.", f"It costs {number + 1} euros.") == [str(number)]
