"""The Program of the `conversations` recipe: pairs from facts, their validation, dialogues, judge.

Records of dialogues.py enter, what a model made of them leaves. Verdicts are computed, never asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import dspy

from signatures.conversations import ExtractPairs, JudgeConversation, ValidateQa, WriteDialogue
from synth_dspy.dialogues import Dialogue, DialogueTask, FactChunk, QaPair
from synth_dspy.programs.module import Role, StepModule
from synth_dspy.programs.program import Program
from synth_dspy.records import Judgement

VALIDATION = ("uses_source_fact", "realistic_question", "sensible_answer")
RUBRIC = ("factually_accurate", "natural_conversation", "on_topic", "adds_value")


@dataclass(frozen=True, slots=True)
class Scene:
    """The words that a model reads for the traits of a task."""

    persona: str
    style: str
    emotion: str
    modality: str
    system_prompt: str


class PairExtractor(StepModule):
    """A chunk -> pairs, as many as the model gave."""

    role: ClassVar[Role] = "question"

    def __init__(self, topics: Mapping[str, str], count: int) -> None:
        super().__init__()
        self.extract_pairs = dspy.Predict(ExtractPairs)
        self._topics, self._count = topics, count

    async def aforward(self, chunk: FactChunk) -> dspy.Prediction:
        """`found`: a list of `FactPair`."""
        reply = await self.extract_pairs.acall(
            fact=chunk.text,
            heading=chunk.heading,
            lines_before=chunk.before,
            lines_after=chunk.after,
            topics=[f"{name}: {text}" for name, text in self._topics.items()],
            count=self._count,
        )
        return dspy.Prediction(found=list(reply.qa_pairs))


class PairValidator(StepModule):
    """The bool-only rubric of a pair."""

    role: ClassVar[Role] = "curate"

    def __init__(self) -> None:
        super().__init__()
        self.validate_qa = dspy.Predict(ValidateQa)

    async def aforward(self, pair: QaPair) -> dspy.Prediction:
        """`judgement`: its `criteria` are those of `VALIDATION`, in order."""
        reply = await self.validate_qa.acall(
            source_fact=pair.fact, question=pair.question, answer=pair.answer
        )
        return dspy.Prediction(judgement=_judgement(reply, VALIDATION))


class DialogueWriter(StepModule):
    """A task -> exchanges."""

    role: ClassVar[Role] = "answer"

    def __init__(self) -> None:
        super().__init__()
        self.write_dialogue = dspy.Predict(WriteDialogue)

    async def aforward(self, task: DialogueTask, scene: Scene) -> dspy.Prediction:
        """`exchanges`: a list of `Exchange`."""
        reply = await self.write_dialogue.acall(
            facts="\n\n".join(dict.fromkeys(pair.fact for pair in task.pairs)),
            pairs=[f"Q: {pair.question} A: {pair.answer}" for pair in task.pairs],
            persona=scene.persona,
            style=scene.style,
            emotion=scene.emotion,
            input_modality=scene.modality,
            system_prompt=scene.system_prompt,
            exchanges=task.traits.turns,
        )
        return dspy.Prediction(exchanges=list(reply.dialogue))


class ConversationJudge(StepModule):
    """The bool-only rubric of a dialogue."""

    role: ClassVar[Role] = "curate"

    def __init__(self) -> None:
        super().__init__()
        self.judge_conversation = dspy.Predict(JudgeConversation)

    async def aforward(self, dialogue: Dialogue) -> dspy.Prediction:
        """`judgement`: its `criteria` are those of `RUBRIC`, in order."""
        reply = await self.judge_conversation.acall(
            facts=dialogue.task.facts, conversation=dialogue.text
        )
        issues = [str(issue).strip() for issue in reply.issues if str(issue).strip()]
        return dspy.Prediction(judgement=_judgement(reply, RUBRIC), issues=issues)


def _judgement(reply: dspy.Prediction, rubric: tuple[str, ...]) -> Judgement:
    criteria = {name: bool(reply[name]) for name in rubric}
    return Judgement(all(criteria.values()), criteria, str(reply.reason).strip())


class ConversationsProgram(Program):
    """All four.

    Args:
        topics: name to description; what pairs are sorted into.
        pairs: how many pairs are asked of a chunk.
    """

    def __init__(self, topics: Mapping[str, str], *, pairs: int = 3) -> None:
        super().__init__()
        self.extractor = PairExtractor(topics, pairs)
        self.validator = PairValidator()
        self.writer = DialogueWriter()
        self.judge = ConversationJudge()
