"""Answered candidate -> the judge's verdict, and its category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import dspy

from signatures.classify import ClassifySample
from signatures.judge import JudgeSample
from synth_dspy.programs.module import Role, StepModule
from synth_dspy.programs.questions import kind_of
from synth_dspy.programs.types import TYPES, Kind, by_name
from synth_dspy.records import Candidate, Judgement

CRITERIA = ("correct", "grounded", "complete", "well_formed", "image_essential")


class SampleJudge(StepModule):
    """The bool-only rubric; a sample passes when every criterion is met."""

    role: ClassVar[Role] = "curate"

    def __init__(self, types: Sequence[Kind] = TYPES) -> None:
        super().__init__()
        self.judge_sample = dspy.Predict(JudgeSample)
        self._kinds = by_name(tuple(types))

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`judgement`: a `Judgement`; its `criteria` are in the rubric's order."""
        image, context = candidate.image, self.context("judge_sample", candidate)
        reply = await self.judge_sample.acall(
            type=candidate.task.type,
            form=kind_of(self._kinds, candidate.task).form,
            question=candidate.question,
            answer=candidate.answer,
            **context,
        )
        criteria = {name: bool(reply[name]) for name in CRITERIA}
        if image is None:
            del criteria["image_essential"]
        return dspy.Prediction(
            judgement=Judgement(
                passed=all(criteria.values()),
                criteria=criteria,
                reason=str(reply.reason).strip(),
                image_seen=image is None or context["image"] is not None,
            )
        )


class SampleClassifier(StepModule):
    """The category of a finished sample; "" when the reply names none that is configured."""

    role: ClassVar[Role] = "curate"

    def __init__(self, categories: dict[str, str]) -> None:
        super().__init__()
        self.classify_sample = dspy.Predict(ClassifySample)
        self._categories = categories

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`category`: a configured name, or "" with the reply in `said`."""
        reply = await self.classify_sample.acall(
            question=candidate.question,
            answer=candidate.answer,
            heading=candidate.chunk.heading,
            categories=[f"{name}: {text}" for name, text in self._categories.items()],
        )
        said = str(reply.category).strip()
        names = {_plain(name): name for name in self._categories}
        return dspy.Prediction(category=names.get(_plain(said.partition(":")[0]), ""), said=said)


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
