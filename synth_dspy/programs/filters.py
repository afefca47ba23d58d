"""Modules that say yes or no before money is spent: of images, chunks and candidates.

Each asks bool criteria only; whether a record passes is computed here, never asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import dspy

from signatures.candidates import JudgeCandidate
from signatures.chunks import JudgeChunk
from signatures.images import DescribeImage, JudgeImage
from synth_dspy.programs.module import Role, StepModule, context_of, passage_of
from synth_dspy.programs.questions import kind_of
from synth_dspy.programs.types import TYPES, Kind, by_name
from synth_dspy.records import Candidate, Chunk, Image


class ImageDescriber(StepModule):
    """Image -> kind and description."""

    role: ClassVar[Role] = "vision"

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__()
        self.describe_image = dspy.Predict(DescribeImage)
        self._kinds = kinds

    async def aforward(self, image: Image, surrounding_text: str) -> dspy.Prediction:
        """`kind` (one of the configured kinds, else `diagram`) and `description`."""
        reply = await self.describe_image.acall(
            image=self.picture("describe_image", image),
            alt_text=image.alt,
            caption=image.caption,
            image_code=image.code,
            surrounding_text=surrounding_text,
            kinds=list(self._kinds),
        )
        kind = str(reply.kind).strip().lower().replace(" ", "_")
        return dspy.Prediction(
            kind=kind if kind in self._kinds else "diagram",
            description=str(reply.description).strip(),
        )


class ImageFilter(StepModule):
    """Described image -> whether a question could need it."""

    role: ClassVar[Role] = "filter"

    def __init__(self) -> None:
        super().__init__()
        self.judge_image = dspy.Predict(JudgeImage)

    async def aforward(self, image: Image) -> dspy.Prediction:
        """`passed` and `reason`."""
        reply = await self.judge_image.acall(
            kind=image.category,
            description=image.description,
            alt_text=image.alt,
            caption=image.caption,
        )
        return dspy.Prediction(passed=bool(reply.informative), reason=str(reply.reason))


class ChunkFilter(StepModule):
    """Chunk -> whether somebody could learn from it."""

    role: ClassVar[Role] = "filter"

    def __init__(self) -> None:
        super().__init__()
        self.judge_chunk = dspy.Predict(JudgeChunk)

    async def aforward(self, chunk: Chunk) -> dspy.Prediction:
        """`passed`, the first unmet `criterion` ("" when it passed) and `reason`."""
        reply = await self.judge_chunk.acall(heading=chunk.heading, passage=passage_of(chunk))
        return _decide(
            {"teaches": reply.teaches, "understandable": reply.understandable}, reply.reason
        )


class CandidateFilter(StepModule):
    """Candidate -> whether its question is worth answering."""

    role: ClassVar[Role] = "filter"

    def __init__(self, types: Sequence[Kind] = TYPES) -> None:
        super().__init__()
        self.judge_candidate = dspy.Predict(JudgeCandidate)
        self._kinds = by_name(tuple(types))

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`passed`, the first unmet `criterion` ("" when it passed) and `reason`."""
        task = candidate.task
        reply = await self.judge_candidate.acall(
            type=task.type,
            form=kind_of(self._kinds, task).form,
            difficulty=task.difficulty,
            question=candidate.question,
            test_code=candidate.test_code,
            **context_of(candidate.chunk, candidate.image),
        )
        criteria = {
            "answerable": reply.answerable,
            "self_contained": reply.self_contained,
            "specific": reply.specific,
        }
        return _decide(criteria, reply.reason)


def _decide(criteria: dict[str, bool], reason: str) -> dspy.Prediction:
    unmet = [name for name, met in criteria.items() if not met]
    return dspy.Prediction(
        passed=not unmet, criterion=unmet[0] if unmet else "", reason=str(reason).strip()
    )
