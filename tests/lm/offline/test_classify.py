"""Classification by descriptions, and by the examples of a compiled prompt."""

from __future__ import annotations

import dspy
import pytest

from signatures.classify import ClassifySample
from tests.lm.offline.asking import ask

CATEGORIES = [
    "statistics: means, medians, variance and outliers of measurements",
    "time_series: sampling, gaps, smoothing and autocorrelation of a signal",
    "hardware: sensors, converters, batteries and wiring",
]


def category(question: str, answer: str = "", demos: tuple[dspy.Example, ...] = ()) -> str:
    name: str = ask(
        ClassifySample, question=question, answer=answer, categories=CATEGORIES, demos=demos
    ).category
    return name


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the median of a list of measurements?", "statistics"),
        ("How is a gap in a sampled signal filled?", "time_series"),
        ("What does an analogue-to-digital converter report to the sensor?", "hardware"),
    ],
)
def test_the_category_most_like_the_sample_is_chosen(question: str, expected: str) -> None:
    assert category(question) == expected


def test_an_unlike_sample_still_gets_one_of_the_categories() -> None:
    assert category("xyzzy?") in {line.partition(":")[0] for line in CATEGORIES}


def test_a_near_example_votes_for_its_category() -> None:
    question = "What does a checksum protect a message from?"
    demo = dspy.Example(
        question="What does a checksum tell the receiver of a message?", answer="", heading="",
        categories=CATEGORIES, category="hardware",
    )  # fmt: skip
    assert category(question) != "hardware"
    assert category(question, demos=(demo,)) == "hardware"


def test_many_examples_outweigh_a_description_where_one_does_not() -> None:
    demo = dspy.Example(
        question="What is a cold night?", answer="", heading="", categories=CATEGORIES,
        category="hardware",
    )  # fmt: skip
    question = "What is the median of a cold night?"
    assert category(question, demos=(demo,)) == "statistics"
    assert category(question, demos=(demo,) * 12) == "hardware"


def test_an_example_of_a_category_that_is_not_offered_does_not_count() -> None:
    demo = dspy.Example(
        question="What is the median?",
        answer="",
        heading="",
        categories=CATEGORIES,
        category="other",
    )
    assert category("What is the median of measurements?", demos=(demo,)) == "statistics"


def test_a_description_may_hold_a_colon() -> None:
    answer = ask(
        ClassifySample, question="Rivers?", answer="", categories=["a: b: rivers", "c: lakes"]
    )
    assert answer.category == "a"
