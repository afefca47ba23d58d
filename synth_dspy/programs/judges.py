"""Answered candidate -> the judge's verdict, and its category."""

from __future__ import annotations

import dspy

from signatures.classify import ClassifySample
from signatures.judge import JudgeSample
from synth_dspy.programs.module import StepModule, image_text, passage_of
from synth_dspy.records import Candidate, Judgement

CRITERIA = ("correct", "grounded", "complete", "well_formed", "image_essential")


class SampleJudge(StepModule):
    """The bool-only rubric; a sample passes when every criterion is met."""

    def __init__(self) -> None:
        super().__init__()
        self.judge_sample = dspy.Predict(JudgeSample)

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`judgement`: a `Judgement`; its `criteria` are in the rubric's order."""
        image = candidate.image
        reply = await self.judge_sample.acall(
            type=candidate.task.type,
            question=candidate.question,
            answer=candidate.answer,
            passage=passage_of(candidate.chunk) + "\n\n" + candidate.chunk.prior_code,
            image_description=image_text(image) if image else "",
        )
        criteria = {name: bool(reply[name]) for name in CRITERIA}
        if image is None:
            del criteria["image_essential"]
        return dspy.Prediction(
            judgement=Judgement(
                passed=all(criteria.values()),
                criteria=criteria,
                reason=str(reply.reason).strip(),
                image_seen=image is None,
            )
        )


class SampleClassifier(StepModule):
    """The category of a finished sample; "" when the reply names none that is configured."""

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
