"""Forty planted hallucinations: what the rule and the offline judge find, and what they miss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from signatures.conversations import JudgeConversation
from synth_dspy.dataset.grounding import ungrounded
from synth_dspy.dialogues import DialogueTask
from tests.dialogues import chunk, dialogue, pair, traits
from tests.lm.offline.asking import ask

Kind = Literal["number", "name", "feature"]


@dataclass(frozen=True)
class Planted:
    """A fact, what is asked, the right answer, and a wrong one of some kind."""

    kind: Kind
    fact: str
    question: str
    right: str
    wrong: str


_Told = tuple[str, str, str, tuple[tuple[Kind, str], ...]]
_FACTS: tuple[_Told, ...] = (
    (("Standard delivery takes two to four working days and costs 4.50 euros. From 75 euros on it "
      "is free of charge."), "How much does standard delivery cost?",
     "Standard delivery takes two to four working days and costs 4.50 euros.",
     (("number", "Standard delivery takes two to four working days and costs 5.50 euros."),
      ("number", "Standard delivery takes two to four working days and costs 75 euros."),
      ("number", "Standard delivery takes two to nine working days and costs 4.50 euros."),
      ("name", "Standard delivery by Falkner takes two to four working days."),
      ("feature", "Standard delivery includes insurance and a free umbrella."))),
    ("The Kestrel Two is a tent for two people. It weighs 1.9 kilograms and costs 349 euros.",
     "How much does the Kestrel Two weigh?", "It weighs 1.9 kilograms and costs 349 euros.",
     (("number", "It weighs 2.9 kilograms and costs 349 euros."),
      ("number", "It weighs 349 kilograms and costs 1.9 euros."),
      ("name", "The Heron Two weighs 1.9 kilograms and costs 349 euros."),
      ("name", "Ask for the Kestrel Two by Nordhaven: it weighs 1.9 kilograms."),
      ("feature", "It glows in the dark and floats on water."))),
    (("The shop in Marwick is open from Monday to Friday between 9:30 and 18:30. On Saturday it "
      "closes at 16:00."), "When is the shop open?",
     "The shop in Marwick is open from Monday to Friday between 9:30 and 18:30.",
     (("number", "The shop in Marwick is open from Monday to Friday between 8:30 and 18:30."),
      ("number", "On Saturday it closes at 17:00."),
      ("name", "The shop in Marwick is open from Monday to Sunday between 9:30 and 18:30."),
      ("name", "The shop in Linden is open from Monday to Friday between 9:30 and 18:30."),
      ("feature", "The shop serves breakfast and lends bicycles to visitors."))),
    (("Gift cards are valid for four years from the day of purchase. They cannot be exchanged for "
      "cash."), "How long are gift cards valid?",
     "Gift cards are valid for four years from the day of purchase.",
     (("number", "Gift cards are valid for seven years from the day of purchase."),
      ("number", "Gift cards are valid for four months from the day of purchase."),
      ("name", "Gift cards from Ottoline are valid for four years."),
      ("feature", "Gift cards can be exchanged for cash."),
      ("feature", "Gift cards earn interest and open the members' lounge."))),
    (("Complaints are read by the head of service. Her name is Maren Holt. Emails are answered "
      "within one working day."), "Who reads complaints?",
     "Complaints are read by the head of service. Her name is Maren Holt.",
     (("name", "Complaints are read by the head of service. Her name is Ingrid Holt."),
      ("name", "Her name is Maren Solheim."),
      ("name", "Write to Bertram, the head of service."),
      ("number", "Emails are answered within three working days."),
      ("feature", "Complaints are rewarded with a voucher and flowers."))),
    (("The Heron sleeping bag is filled with duck down. It keeps you warm down to minus 7 degrees. "
      "The Wren weighs 1,350 grams."), "How warm is the Heron?",
     "It keeps you warm down to minus 7 degrees.",
     (("number", "It keeps you warm down to minus 17 degrees."),
      ("number", "It keeps you warm down to minus 1,350 degrees."),
      ("name", "The Osprey sleeping bag keeps you warm down to minus 7 degrees."),
      ("feature", "The Heron sleeping bag is filled with silk and heated by a battery."),
      ("feature", "It massages your back and plays music."))),
    (("The Trail Club costs 25 euros a year. Members get free express delivery and five percent "
      "off repairs."), "What does the Trail Club cost?", "The Trail Club costs 25 euros a year.",
     (("number", "The Trail Club costs 52 euros a year."),
      ("number", "Members get free express delivery and fifty percent off repairs."),
      ("name", "The Summit Club costs 25 euros a year."),
      ("feature", "Members get free hotel rooms and a magazine."),
      ("feature", "Members do not get free express delivery."))),
    (("The Ember stove burns gas cartridges with a screw valve. It boils a litre of water in four "
      "minutes."), "What does the Ember stove burn?",
     "The Ember stove burns gas cartridges with a screw valve.",
     (("number", "It boils a litre of water in two minutes."),
      ("number", "It boils forty litres of water in four minutes."),
      ("name", "The Cinder stove burns gas cartridges with a screw valve."),
      ("feature", "The Ember stove burns diesel and petrol."),
      ("feature", "It switches itself off and charges telephones."))),
)  # fmt: skip
PLANTED = tuple(
    Planted(kind, fact, question, right, wrong)
    for fact, question, right, wrongs in _FACTS
    for kind, wrong in wrongs
)

# Counted as missed, by name: the closing note of a run's owner should know them.
MISSED = frozenset({
    # 75 euros stand in the facts, as the order's value.
    "Standard delivery takes two to four working days and costs 75 euros.",
    # The fact denies it of "they".
    "Gift cards can be exchanged for cash.",
})  # fmt: skip


def rejected(case: Planted, answer: str) -> bool:
    """Whether the rule or the offline judge finds that an answer is not in the facts."""
    about = pair(0, chunk=chunk(case.fact), question=case.question, answer=case.right)
    made = dialogue(0, case.question, answer, order=DialogueTask("t", 0, (about,), traits()))
    if ungrounded(answer, made.task.facts):
        return True
    found = ask(JudgeConversation, facts=made.task.facts, conversation=made.text)
    return not (found.factually_accurate and found.on_topic)


def test_there_are_forty_of_three_kinds() -> None:
    assert len(PLANTED) == 40
    assert {case.kind for case in PLANTED} == {"number", "name", "feature"}


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.wrong[:48])
def test_each_planted_hallucination_is_rejected_or_counted_as_missed(case: Planted) -> None:
    assert rejected(case, case.wrong) is (case.wrong not in MISSED)


@pytest.mark.parametrize("case", PLANTED[::5], ids=lambda case: case.right[:48])
def test_the_right_answer_is_not_rejected(case: Planted) -> None:
    assert not rejected(case, case.right)
