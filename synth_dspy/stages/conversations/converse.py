"""converse: orders -> dialogues; the user's turns come out as they were typed or dictated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synth_dspy.dataset.text_variations import varied
from synth_dspy.dialogues import Dialogue, DialogueTask, Message
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.conversations import ConversationsProgram, Scene
from synth_dspy.records import digest
from synth_dspy.stages.contract import MapStage

_PLACEHOLDER = re.compile(
    r"\{\w+\}|\[(?:name|your name|company|insert[^\]]*)\]|<\w+>|\[\[ ##", re.IGNORECASE
)
_SPEAKER = re.compile(r"^\s*(?:user|assistant|customer|agent|human|ai)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """What a model reads for each configured name.

    Attributes:
        personas, styles, emotions, modalities: name -> description; prompts: name -> the text.
    """

    personas: Mapping[str, str]
    styles: Mapping[str, str]
    emotions: Mapping[str, str]
    modalities: Mapping[str, str]
    prompts: Mapping[str, str]


class Converse(MapStage[DialogueTask, Dialogue]):
    """Writes one dialogue an order."""

    name, folder, unit = "converse", "conversations", "dialogues"
    aliases = ("stage3",)
    output_type = Dialogue

    def __init__(self, program: ConversationsProgram, words: Words, *, concurrency: int) -> None:
        self._program, self._words, self.concurrency = program, words, concurrency

    def settings(self) -> object:
        return (self._program.fingerprint(self._program.writer), self._words)

    def identity(self, record: DialogueTask) -> object:
        return (record.id, record.rank, record.pairs)

    async def process(self, record: DialogueTask) -> Outcome:
        traits, words, writer = record.traits, self._words, self._program.writer
        scene = Scene(
            persona=words.personas[traits.persona],
            style=words.styles[traits.style],
            emotion=words.emotions[traits.emotion],
            modality=words.modalities[traits.modality],
            system_prompt=words.prompts[traits.system_prompt],
        )
        written = (await writer.acall(record, scene)).exchanges
        said = [(_clean(one.user), _clean(one.assistant)) for one in written]
        if fault := _fault(said, traits.turns):
            reason, detail = fault
            shown = {"task": record, "dialogue": said}
            return Dropped(reason, detail, shown)
        messages = [Message("system", scene.system_prompt)]
        for turn, (user, assistant) in enumerate(said):
            typed = varied(
                user,
                modality=traits.modality,
                variation=traits.variation,
                key=digest(record.id, turn),
            )
            messages += [Message("user", typed), Message("assistant", assistant)]
        steps = {
            **{name: step for pair in record.pairs for name, step in pair.steps.items()},
            "write_dialogue": writer.step("write_dialogue"),
        }
        id_ = digest(record.id, [(m.role, m.content) for m in messages])
        return Kept((Dialogue(id_, record, tuple(messages), steps),))


def _clean(text: str) -> str:
    return _SPEAKER.sub("", text.strip()).strip()


def _fault(said: Sequence[tuple[str, str]], turns: int) -> tuple[str, str] | None:
    """Reason and detail of what cannot be a dialogue; None when it can."""
    if len(said) != turns:
        return "wrong_turns", f"{len(said)} exchanges, {turns} were asked for"
    texts = [text for exchange in said for text in exchange]
    if not all(texts):
        return "empty_turn", "somebody says nothing"
    if found := next((m for text in texts if (m := _PLACEHOLDER.search(text))), None):
        return "placeholder", f"{found[0]!r} was left in it"
    answers = [" ".join(answer.lower().split()) for _, answer in said]
    if len(set(answers)) < len(answers):
        return "repeats_itself", "the assistant says the same thing twice"
    return None
