"""summary: a text that is given whole, and what it says in a few sentences."""

from __future__ import annotations

from typing import ClassVar

import dspy

from signatures.summaries import WriteSummary
from synth_dspy.programs.module import passage_of, prose_of
from synth_dspy.programs.types.contract import AnswerModule, FixedQuestion, Kind, prose_suits
from synth_dspy.records import Candidate, Chunk, Image

SENTENCES = {"easy": 3, "medium": 2, "hard": 1}
"""How many sentences a summary may have: the fewer, the harder."""
_LEAST_WORDS = 80


class SummaryWriter(AnswerModule):
    """What the passage says, in fewer words."""

    step_name: ClassVar[str] = "write_summary"

    def __init__(self) -> None:
        super().__init__()
        self.write_summary = dspy.Predict(WriteSummary)

    async def answer(self, candidate: Candidate) -> str:
        reply = await self.write_summary.acall(
            sentences=SENTENCES[candidate.task.difficulty], passage=passage_of(candidate.chunk)
        )
        return (reply.summary or "").strip()


def order(candidate: Candidate) -> str:
    """The question: the text stands in it, since a reader has nothing else."""
    number = SENTENCES[candidate.task.difficulty]
    asked = "one sentence" if number == 1 else f"at most {number} sentences"
    return f"Summarize the following text in {asked}.\n\n{passage_of(candidate.chunk)}"


def suits(chunk: Chunk, image: Image | None) -> float:
    """0 for a passage that is short, or mostly code."""
    words = len(prose_of(chunk).split())
    if image is not None or words < _LEAST_WORDS or 2 * words < len(chunk.text.split()):
        return 0.0
    return prose_suits(chunk, None)


def bears(_chunk: Chunk, _image: Image | None) -> int:
    """One summary a passage."""
    return 1


SUMMARY = Kind(
    name="summary",
    form="the question gives a text and asks for its summary, the answer sums up that text alone",
    image="never",
    suits=suits,
    bears=bears,
    writer=lambda: FixedQuestion(order),
    answerer=SummaryWriter,
)
