"""What rules find in a record: topics, entities, dates, kind, relations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.programs.routing.patterns import MAX_TOPICS, entity_type, patterns_of
from synth_dspy.sources.backends import Content

GAUGE = Content(
    id="g",
    modality="VIDEO",
    title="How to level a rain gauge",
    description="A tutorial that levels the rain gauge at Alder Bridge in 2023.",
    transcript="Place the rain gauge on its base. The Tarn River is near Alder Bridge. Mill Pond "
    "was measured on 2024-05-01.",
    entities=("Alder Bridge", "Not There"),
)


def test_topics_are_word_groups_of_the_text() -> None:
    text = f"{GAUGE.title}. {GAUGE.description} {GAUGE.transcript}".lower()
    topics = patterns_of(GAUGE).topics
    assert topics[0] == "rain gauge"
    assert all(topic.lower() in text for topic in topics)
    assert all(2 <= len(topic.split()) <= 3 for topic in topics)


def test_a_topic_spells_names_as_the_record_does() -> None:
    assert "Alder Bridge" in patterns_of(GAUGE).topics


def test_entities_are_those_that_occur_and_those_that_the_text_shows() -> None:
    assert patterns_of(GAUGE).entities == ("Alder Bridge", "Tarn River")


def test_years_and_dates_are_found_as_written() -> None:
    assert patterns_of(GAUGE).dates == ("2023", "2024-05-01")


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("A tutorial on wind", "tutorial"),
        ("Handbook of wind", "guide"),
        ("Overview of wind", "overview"),
        ("Chart of wind", "diagram"),
        ("Wind", "record"),
    ],
)
def test_the_kind_is_told_by_a_word(title: str, kind: str) -> None:
    assert patterns_of(Content("a", "DOCUMENT", title)).kind == kind


def test_relations_are_of_one_sentence() -> None:
    assert patterns_of(GAUGE).relations == (("Tarn River", "Alder Bridge"),)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Tarn River", "PLACE"),
        ("Weather Service", "ORGANIZATION"),
        ("Data Logger", "TECHNOLOGY"),
        ("2023", "DATE"),
        ("Snow Water Equivalent", "CONCEPT"),
    ],
)
def test_the_type_of_a_name_is_told_by_its_end(name: str, kind: str) -> None:
    assert entity_type(name) == kind


@given(title=st.text(min_size=1), description=st.text(), transcript=st.text())
def test_any_text_has_topics_and_only_entities_that_occur(
    title: str, description: str, transcript: str
) -> None:
    found = patterns_of(Content("x", "AUDIO", title, description, transcript))
    assert 1 <= len(found.topics) <= MAX_TOPICS
    text = f"{title}. {description} {transcript}"
    assert all(entity in text for entity in found.entities)
