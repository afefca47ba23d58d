"""What flows in the recipe `conversations`: FactChunk -> QaPair -> DialogueTask -> Dialogue.

Frozen records, as those of records.py; ids are hashes of what a record was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from synth_dspy.records import Judgement, Step

Level = Literal["basic", "intermediate", "advanced"]
LEVELS: tuple[Level, ...] = ("basic", "intermediate", "advanced")


@dataclass(frozen=True, slots=True)
class FactChunk:
    """A bullet or a section of a facts file, with the lines around it.

    Attributes:
        path: of the file, relative to its source; sha256: of its bytes.
        heading: the path of headings above it, joined by " > ".
        before, after: lines around it, for understanding; pairs are not about them alone.
        line: 1-based number of its first line; index: its place among all chunks.
    """

    id: str
    path: str
    source: str
    sha256: str
    heading: str
    text: str
    before: str
    after: str
    line: int
    index: int

    @property
    def context(self) -> str:
        """All that a pair of it may rest on: the chunk with its heading and the lines around it."""
        parts = (self.heading, self.before, self.text, self.after)
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class QaPair:
    """A question and its answer, and the chunk that they were made from.

    Attributes:
        topic: one of the configured topics, "" where there are none.
        ordinal: its place among the pairs of its chunk, from 0.
        validation: the verdict on it; None before validate-qa.
    """

    id: str
    chunk: FactChunk
    question: str
    answer: str
    difficulty: Level
    topic: str
    ordinal: int
    steps: dict[str, Step] = field(default_factory=dict)
    validation: Judgement | None = None

    @property
    def fact(self) -> str:
        """All that the pair may rest on."""
        return self.chunk.context


@dataclass(frozen=True, slots=True)
class Traits:
    """Who asks, how, and what the assistant was told; names of configured entries.

    Attributes:
        turns: user turns, each with its answer.
    """

    persona: str
    system_prompt: str
    style: str
    emotion: str
    modality: str
    variation: str
    turns: int


@dataclass(frozen=True, slots=True)
class DialogueTask:
    """An order for one dialogue.

    Attributes:
        rank: its place in the order of all; a lower rank stays among duplicates.
        pairs: what it is about: the leading pair, then related ones of the same section.
    """

    id: str
    rank: int
    pairs: tuple[QaPair, ...]
    traits: Traits

    @property
    def section(self) -> str:
        """Where its facts stand; dialogues of one section are never divided between splits."""
        chunk = self.pairs[0].chunk
        return f"{chunk.path}#{chunk.heading}"

    @property
    def topic(self) -> str:
        """The topic of its leading pair."""
        return self.pairs[0].topic

    @property
    def facts(self) -> str:
        """The source facts and the pairs that were made from them: what it may say."""
        found = dict.fromkeys(pair.fact for pair in self.pairs)
        asked = (f"Q: {pair.question}\nA: {pair.answer}" for pair in self.pairs)
        return "\n\n".join((*found, *asked))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """By what a dialogue was embedded; the vector itself lies in the run's file of embeddings."""

    model: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Why a dialogue was taken: its place, and the parts of its score at that moment, each 0 to 1.

    Attributes:
        judge: share of the criteria that hold; diversity: 1 less the similarity to the nearest one
            taken before; coverage: how far its persona, topic and number of turns were
            behind their share.
    """

    place: int
    score: float
    judge: float
    diversity: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue on its way from `converse` to the dataset.

    Attributes:
        messages: the system message, then user and assistant in turn.
        judgement, embedded, selection: of those stages; None before them.
        split: train, validation or test; "" before `select`.
    """

    id: str
    task: DialogueTask
    messages: tuple[Message, ...]
    steps: dict[str, Step] = field(default_factory=dict)
    judgement: Judgement | None = None
    embedded: Embedded | None = None
    selection: Selection | None = None
    split: str = ""

    @property
    def spoken(self) -> tuple[Message, ...]:
        """Without the system message."""
        return tuple(message for message in self.messages if message.role != "system")

    @property
    def text(self) -> str:
        """What is said, a message a line, as the judge reads it and the embedder sees it."""
        return "\n".join(f"{message.role}: {message.content}" for message in self.spoken)
