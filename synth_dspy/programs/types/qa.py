"""qa: a question in words and its answer in words."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import dspy

from signatures.answers import AnswerQuestion
from signatures.questions import WriteQuestion
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.module import asked_of
from synth_dspy.programs.types.contract import (
    MOST_ON_AN_IMAGE,
    AnswerModule,
    Kind,
    QuestionModule,
    prose_suits,
)
from synth_dspy.records import Candidate, Chunk, Image

_WORDS_A_QUESTION = 40


class QuestionWords(QuestionModule):
    """A question that the passage, or the picture, answers."""

    def __init__(self) -> None:
        super().__init__()
        self.write_question = dspy.Predict(WriteQuestion)

    async def write(self, candidate: Candidate) -> Outcome:
        reply = await self.write_question.acall(**asked_of(candidate))
        question = self.clean(reply.question or "")
        if not reply.possible or not question:
            return Dropped("not_possible", "the passage answers no further question")
        steps = {**candidate.steps, "write_question": self.step("write_question")}
        return Kept((replace(candidate, question=question, steps=steps),))


class AnswerWords(AnswerModule):
    """Whole sentences that the source supports."""

    step_name: ClassVar[str] = "answer_question"

    def __init__(self) -> None:
        super().__init__()
        self.answer_question = dspy.Predict(AnswerQuestion)

    async def answer(self, candidate: Candidate) -> str:
        reply = await self.answer_question.acall(
            question=candidate.question, **self.context("answer_question", candidate)
        )
        return (reply.answer or "").strip()


def bears(chunk: Chunk, image: Image | None) -> int:
    """A question for every forty words; two for an image."""
    if image is not None:
        return MOST_ON_AN_IMAGE
    return max(1, len(chunk.text.split()) // _WORDS_A_QUESTION)


QA = Kind(
    name="qa",
    form="a question in words and its answer in whole sentences",
    refinable=True,
    suits=prose_suits,
    bears=bears,
    writer=QuestionWords,
    answerer=AnswerWords,
)
