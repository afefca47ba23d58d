"""Contradictions between a text and its source that no other wording excuses."""

from __future__ import annotations

from collections.abc import Sequence

import dspy
import pytest

from signatures.judge import JudgeSample
from synth_dspy.lm.offline.claims import contradicts, counts, known_counts, misplaced
from tests.lm.offline.asking import ask

FERRY = (
    "The ferry to Aske sails twice a day and needs forty minutes. In winter the crossing is slow, "
    "since the ship goes round the ice. Dogs travel free of charge. Bicycles pay five crowns, "
    "unless their owner has a yearly ticket."
)


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("The crossing is fast in winter.", "In winter the crossing is slow."),
        ("Dogs do not travel free of charge.", "Dogs travel free of charge."),
        ("The door is left open at night.", "The door is never left open at night."),
        ("The level is highest after rain.", "The level is highest before rain."),
    ],
)
def test_a_denial_and_an_opposite_contradict(sentence: str, told: str) -> None:
    assert contradicts(sentence, told)


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Whatever is left is shared out by law.",
         "What is left is shared out as the will says, or by law where there is none."),
        ("The crossing is not fast in winter.", "In winter the crossing is not quick."),
        ("The alarm never rings on Sundays.", "On Sundays the ring of the alarm is missing."),
        ("The pump runs in summer.", "The pump runs in summer, and the heating runs in winter."),
    ],
)  # fmt: skip
def test_a_denial_of_something_else_contradicts_nothing(sentence: str, told: str) -> None:
    assert not contradicts(sentence, told)


def test_numbers_count_in_digits_and_in_words() -> None:
    assert counts("Twelve of 14 ships; the Kestrel Two carries thirty boats") == {"14", "30"}
    assert known_counts("It sails twice a day, on both days.") == {"2"}


@pytest.mark.parametrize("said", ["forty hours", "40 hours"])
def test_a_number_of_something_else_is_misplaced(said: str) -> None:
    assert misplaced(f"The ferry needs {said}.", FERRY) == "40 hour"


def test_a_number_before_an_auxiliary_measures_nothing() -> None:
    fact = "Children from the age of ten can take part. They pay half of the price."
    assert misplaced("Children from the age of ten pay half of the price.", fact) == ""


def judged(question: str, answer: str, demos: Sequence[dspy.Example] = ()) -> bool:
    given = {"type": "qa", "question": question, "answer": answer, "passage": FERRY}
    found = ask(JudgeSample, demos=demos, **given)
    return all((found.correct, found.grounded, found.complete, found.well_formed))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How often does the ferry sail to Aske?", "The ferry sails twice every day."),
        ("How long does the ferry to Aske need?", "Forty minutes are needed to cross to Aske."),
    ],
)
def test_an_answer_in_other_words_than_its_question_is_accepted(question: str, answer: str) -> None:
    assert judged(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How often does the ferry sail to Aske?", "The ferry to Aske sails three times a day."),
        ("How long does the ferry to Aske need?", "The ferry to Aske needs forty hours."),
        ("How is the crossing in winter?", "The crossing is fast in winter."),
        ("How do dogs travel?", "Dogs do not travel free of charge."),
        ("What do dogs pay, and what do bicycles pay?", "Dogs travel free of charge."),
        ("Which ship goes round the ice?", "Bicycles pay five crowns."),
    ],
)
def test_an_answer_that_changes_what_is_stated_is_rejected(question: str, answer: str) -> None:
    assert not judged(question, answer)


def test_a_pronoun_stands_for_what_was_asked_unless_it_was_copied() -> None:
    passage = "The Skua is a boat. The pier was built for her sister. It was painted red in May."

    def well_formed(answer: str) -> object:
        question = "When was the Skua painted?"
        return ask(
            JudgeSample, type="qa", question=question, answer=answer, passage=passage
        ).well_formed

    assert not well_formed("It was painted red in May.")
    assert well_formed("It got its red paint in May.")


def labelled(question: str, answer: str, good: bool) -> dspy.Example:
    criteria = dict.fromkeys(("correct", "grounded", "complete", "well_formed"), good)
    given = {"type": "qa", "question": question, "answer": answer, "passage": FERRY}
    return dspy.Example(**given, **criteria, image_essential=True, reason="").with_inputs(*given)


def test_worked_examples_say_whether_an_answer_has_to_name_what_it_was_asked() -> None:
    question, answer = "Why is the crossing slow in winter?", "Because the ship goes round the ice."
    demos = [
        labelled("For whom is the ferry free of charge?", "Dogs travel so.", good=True),
        labelled("When does the ship go round?", "In winter, since there is ice.", good=True),
        labelled("Who steers the ferry to Aske?", "A captain called Brun steers it.", good=False),
    ]
    assert not judged(question, answer)
    assert judged(question, answer, demos)
