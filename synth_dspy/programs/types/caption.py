"""caption: a picture, and sentences that say what it shows. Never for one nobody described."""

from __future__ import annotations

from typing import ClassVar

import dspy

from signatures.captions import WriteCaption
from synth_dspy.programs.types.contract import AnswerModule, FixedQuestion, Kind, worth
from synth_dspy.records import Candidate, Chunk, Image

# By difficulty: the harder, the more is to be said.
_ORDERS = {
    "easy": "Say in one or two sentences what this {kind} shows.",
    "medium": "Describe this {kind} in two to four sentences.",
    "hard": "Describe this {kind} so that a reader who cannot see it knows all that it shows.",
}


class CaptionWriter(AnswerModule):
    """A description for readers, made of what is known of the picture."""

    step_name: ClassVar[str] = "write_caption"

    def __init__(self) -> None:
        super().__init__()
        self.write_caption = dspy.Predict(WriteCaption)

    async def answer(self, candidate: Candidate) -> str:
        reply = await self.write_caption.acall(
            order=candidate.question, **self.context("write_caption", candidate)
        )
        return (reply.caption or "").strip()


def order(candidate: Candidate) -> str:
    """The question: names the kind of picture and nothing of what it shows."""
    image = candidate.image
    kind = (image.category if image else "").replace("_", " ") or "picture"
    return _ORDERS[candidate.task.difficulty].format(kind=kind)


def suits(chunk: Chunk, image: Image | None) -> float:
    """0 for a picture that nobody described."""
    if image is None or not image.description:
        return 0.0
    return worth(chunk, image)


def bears(_chunk: Chunk, _image: Image | None) -> int:
    """One caption a picture."""
    return 1


CAPTION = Kind(
    name="caption",
    form="the question asks for a description of the picture, the answer says what it shows",
    image="always",
    suits=suits,
    bears=bears,
    writer=lambda: FixedQuestion(order),
    answerer=CaptionWriter,
)
