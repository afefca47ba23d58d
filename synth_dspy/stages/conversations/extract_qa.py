"""extract-qa: facts -> grounded pairs. First a model writes them, then pairs that cannot stay fall.

`propose-qa` is the asking half; `extract-qa` looks at each pair by rule, so that another `today`
asks nothing again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from synth_dspy.dataset.future_dates import future_date
from synth_dspy.dataset.grounding import ungrounded
from synth_dspy.dialogues import LEVELS, FactChunk, QaPair
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.conversations import ConversationsProgram
from synth_dspy.records import digest
from synth_dspy.stages.contract import MapStage


class ProposeQa(MapStage[FactChunk, QaPair]):
    """Exactly so many different pairs a chunk, or none of it."""

    name, folder, unit = "propose-qa", "qa_pairs", "chunks"
    journal = "proposed.jsonl"
    output_type = QaPair

    def __init__(
        self,
        program: ConversationsProgram,
        *,
        count: int,
        topics: Collection[str],
        concurrency: int,
    ) -> None:
        self._program, self._count, self._topics = program, count, tuple(topics)
        self.concurrency = concurrency

    def settings(self) -> object:
        return (self._program.fingerprint(self._program.extractor), self._count, self._topics)

    async def process(self, record: FactChunk) -> Outcome:
        found = (await self._program.extractor.acall(record)).found
        asked: dict[str, QaPair] = {}
        for pair in found:
            question, answer = " ".join(pair.question.split()), pair.answer.strip()
            plain = "".join(c for c in question.lower() if c.isalnum())
            if not plain or not answer or plain in asked or len(asked) == self._count:
                continue
            asked[plain] = QaPair(
                id=digest("qa pair", record.id, question, answer),
                chunk=record,
                question=question,
                answer=answer,
                difficulty=pair.difficulty if pair.difficulty in LEVELS else "basic",
                topic=self._topic(pair.topic),
                ordinal=len(asked),
                steps={"extract_pairs": self._program.extractor.step("extract_pairs")},
            )
        if len(asked) < self._count:
            detail = f"{len(asked)} different pairs of {self._count}"
            return Dropped("too_few_pairs", detail, record)
        return Kept(tuple(asked.values()))

    def _topic(self, said: str) -> str:
        """The configured topic that was meant; of an unknown one the first."""
        known = {_plain(topic): topic for topic in self._topics}
        return known.get(_plain(said.partition(":")[0]), self._topics[0] if self._topics else "")


class ExtractQa(MapStage[QaPair, QaPair]):
    """Drops pairs that mention a later day than today, or what the fact does not."""

    name, folder, unit = "extract-qa", "qa_pairs", "pairs"
    aliases = ("stage1", "qa-pairs")
    output_type = QaPair

    def __init__(self, today: date) -> None:
        self._today = today

    def settings(self) -> object:
        return self._today.isoformat()

    async def process(self, record: QaPair) -> Outcome:
        for text in (record.question, record.answer):
            if said := future_date(text, self._today):
                detail = f"{said!r} is after {self._today.isoformat()}"
                return Dropped("future_date", detail, record)
        if added := ungrounded(record.answer, record.fact):
            detail = f"not in the fact: {', '.join(added)}"
            return Dropped("not_grounded", detail, record)
        return Kept((record,))


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
