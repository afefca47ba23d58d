"""Dates after a day: in digits, written out and relative; what is no date is left alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.future_dates import future_date

TODAY = date(2026, 1, 15)


@pytest.mark.parametrize(
    "text",
    [
        "It opens on 2026-02-01.",
        "It ends on 31.12.2026.",
        "The offer runs until 12/31/2026.",
        "On 3 March 2027 we move.",
        "On March 3rd, 2027 we move.",
        "The sale begins in June 2026.",
        "From the first of March 2027 on it is free.",
        "March the third, twenty twenty-seven, is the day.",
        "By two thousand and thirty all vans are electric.",
        "It will be ready in 2031.",
        "A new tent comes in Q3 2026.",
        "We expect it in summer 2026.",
        "The shop reopens next month.",
        "It arrives tomorrow.",
        "The branch opens in two months.",
        "It will be there three weeks from now.",
        "A larger size is coming soon.",
        "We close later this year.",
    ],
)
def test_a_later_date_is_found_in_every_form(text: str) -> None:
    assert future_date(text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "It was founded in 1987.",
        "In 2026 we turn thirty-nine.",
        "On 14 January 2026 it was delivered.",
        "You can return it within 30 days.",
        "Next-day delivery costs 9 euros.",
        "The battery holds 2030 mAh and costs 2100 euros.",
        "It leaves the warehouse on the next working day.",
        "Rent it from December to March.",
        "The boots last for ten years.",
        "It may rain in May.",
        "Twenty thirty-gram bars are in a box of twenty thirty pieces.",
    ],
)
def test_what_is_past_or_no_date_is_left_alone(text: str) -> None:
    assert future_date(text, TODAY) == ""


@given(st.dates(date(2000, 1, 1), date(2099, 12, 30)), st.integers(1, 300))
def test_a_day_is_future_before_it_and_not_from_it_on(day: date, before: int) -> None:
    for text in (
        day.isoformat(),
        f"{day.day} {day:%B} {day.year}",
        f"{day:%B} {day.day}, {day.year}",
    ):
        assert future_date(f"It is {text}.", day) == ""
        assert text in future_date(f"It is {text}.", day - timedelta(days=before))


def test_the_first_mention_is_the_one_that_is_told() -> None:
    assert future_date("In 2030 or on 5 May 2028.", TODAY) == "2030"
