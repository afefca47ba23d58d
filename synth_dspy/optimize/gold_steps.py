"""Which steps have a gold set: what a line of it holds, and which of the Program's steps it is for.

A step's name enters, its `GoldStep` leaves. It reads no file and knows no metric.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from synth_dspy.errors import UserError

Scoring = Literal["category", "verdict", "tests", "checks"]
"""How a reply is scored: one label, a rubric of yes and no, its tests, or checks of its form."""

SAID = ("reason", "issues")
"""Labels of a verdict that are words: they show a model how to answer, and are not scored."""


@dataclass(frozen=True, slots=True)
class GoldStep:
    """What a line of a gold set holds.

    Attributes:
        name: of the gold set, and what `compile --step` and `gold` call the step.
        recipe: whose folder of `configs/gold` it lies in.
        predictor: the step of the Program that it is for, as `prompts.<step>` names it.
        inputs: input fields that a line must have; what the signature has besides may be left out.
        labels: fields that a line's labels must have; for a verdict the criteria and `reason`.
        compared: input fields and labels whose text makes two lines near-duplicates.
        least: how many lines train, validation and held-out need.
    """

    name: str
    recipe: str
    predictor: str
    scoring: Scoring
    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    compared: tuple[str, ...]
    least: tuple[int, int, int] = (8, 8, 20)

    @property
    def criteria(self) -> tuple[str, ...]:
        """The rubric of a verdict, without what is said of it; empty for other scorings."""
        if self.scoring != "verdict":
            return ()
        return tuple(name for name in self.labels if name not in SAID)


GOLD_STEPS: tuple[GoldStep, ...] = (
    GoldStep(
        "classify", "assistant", "classify_sample", "category",
        inputs=("question", "answer", "heading", "categories"),
        labels=("category",),
        compared=("question", "answer"),
    ),
    GoldStep(
        "judge", "assistant", "judge_sample", "verdict",
        inputs=("type", "form", "question", "answer", "passage"),
        labels=("correct", "grounded", "complete", "well_formed", "image_essential", "reason"),
        compared=("passage", "question", "answer"),
    ),
    GoldStep(
        "answer", "assistant", "write_program", "tests",
        inputs=("task", "entry_point", "passage"),
        labels=("program", "test_code"),
        compared=("task", "program"),
        least=(4, 4, 8),
    ),
    GoldStep(
        "question", "assistant", "write_question", "checks",
        inputs=("passage", "difficulty", "variant"),
        labels=("possible", "question", "about", "must_not"),
        compared=("passage",),
        least=(4, 4, 8),
    ),
    GoldStep(
        "conversation_judge", "conversations", "judge_conversation", "verdict",
        inputs=("facts", "conversation"),
        labels=(
            "factually_accurate", "natural_conversation", "on_topic", "adds_value", "reason",
            "issues",
        ),
        compared=("facts", "conversation"),
    ),
    GoldStep(
        "fact_validation", "conversations", "validate_qa", "verdict",
        inputs=("source_fact", "question", "answer"),
        labels=("uses_source_fact", "realistic_question", "sensible_answer", "reason"),
        compared=("source_fact", "question", "answer"),
    ),
    GoldStep(
        "row_judge", "rows", "judge_row", "verdict",
        inputs=("format", "form", "row"),
        labels=("acceptable", "reason"),
        compared=("row",),
    ),
)  # fmt: skip


def gold_step(name: str) -> GoldStep:
    """The step of that name, or that is for that step of the Program.

    Raises:
        UserError: there is none.
    """
    for step in GOLD_STEPS:
        if name in (step.name, step.predictor):
            return step
    names = [step.name for step in GOLD_STEPS]
    near = difflib.get_close_matches(name, names, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise UserError(f"There is no gold for a step {name!r}.{meant} Steps are: {', '.join(names)}.")
