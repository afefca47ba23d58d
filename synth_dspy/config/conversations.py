"""The `conversations` section: what the recipe of that name is told.

Every list of traits is drawn from by weight; the weights of a list need not sum to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from synth_dspy.config.base import (
    Number,
    OptionalText,
    OptionalWhole,
    Section,
    Whole,
    broken_rule,
    broken_rules,
    unique,
)

Modality = Literal["standard", "typed_on_phone", "voice_dictated"]
Variation = Literal["none", "lowercase", "no_punctuation", "abbreviations", "typos"]

_MOST_TURNS = 8


class Trait(Section):
    """One entry of a distribution."""

    name: str = Field(min_length=1, description="What records call it.")
    description: str = Field(default="", description="What it means, for the model that writes.")
    weight: Number = Field(default=1.0, ge=0, description="How often it is drawn, relatively.")


class Persona(Trait):
    """Who asks."""

    typical_questions: tuple[str, ...] = Field(
        default=(), description="Questions as this person would put them, for tone."
    )
    formality: Literal["casual", "neutral", "formal"] = Field(
        default="neutral", description="How this person speaks."
    )


class SystemPrompt(Trait):
    """What the assistant is told before the dialogue."""

    text: str = Field(min_length=1, description="The system message, as it stands in the dataset.")


class InputModality(Trait):
    """How the user's turns were entered; some change their text by fixed rules."""

    name: Modality = Field(description="standard, typed_on_phone or voice_dictated.")


class TextVariation(Trait):
    """A fixed change of the user's turns."""

    name: Variation = Field(description="none, lowercase, no_punctuation, abbreviations or typos.")


class Topic(Section):
    """A subject of facts, and who asks about it."""

    name: str = Field(min_length=1, description="What records call it.")
    description: str = Field(default="", description="What belongs here: be concrete.")
    personas: tuple[str, ...] = Field(
        default=(), description="Names of the personas that ask about it; none: all of them."
    )


class Selection(Section):
    """How much each part of the score counts when the top K are taken."""

    judge: Number = Field(default=1.0, ge=0, description="Share of the judge's criteria that hold.")
    diversity: Number = Field(
        default=0.5, ge=0, description="Distance from what was taken (maximal marginal relevance)."
    )
    coverage: Number = Field(
        default=0.25, ge=0, description="Personas and topics that are behind their share."
    )


class Conversations(Section):
    """Settings of the `conversations` recipe."""

    chunk_by: Literal["bullet", "section"] = Field(
        default="bullet", description="What one chunk of a facts file is."
    )
    context_lines: Whole = Field(
        default=2, ge=0, description="Lines before and after a chunk that are shown with it."
    )
    max_chunk_chars: Whole = Field(
        default=2000, ge=80, description="Longer sections are divided between paragraphs."
    )
    max_chunks: OptionalWhole = Field(
        default=None, ge=1, description="Use so many chunks, spread over the files; none: all."
    )
    pairs_per_chunk: Whole = Field(
        default=3, ge=1, le=10, description="Question and answer pairs of a chunk, exactly."
    )
    today: OptionalText = Field(
        default=None,
        description="YYYY-MM-DD; pairs that mention a later date are dropped. None: the day of "
        "the run.",
    )
    topics: tuple[Topic, ...] = Field(
        default=(), description="What pairs are sorted into; none: they have no topic."
    )
    personas: tuple[Persona, ...] = Field(
        default=(Persona(name="customer", description="Somebody who wants to know."),),
        description="Who asks.",
    )
    system_prompts: tuple[SystemPrompt, ...] = Field(
        default=(SystemPrompt(name="balanced", text="You are a helpful assistant."),),
        description="What the assistant is told.",
    )
    styles: tuple[Trait, ...] = Field(
        default=(Trait(name="plain"),), description="How the user talks: direct, chatty, ..."
    )
    emotions: tuple[Trait, ...] = Field(
        default=(Trait(name="neutral"),), description="How the user feels."
    )
    input_modalities: tuple[InputModality, ...] = Field(
        default=(InputModality(name="standard"),), description="How the user's turns are entered."
    )
    text_variations: tuple[TextVariation, ...] = Field(
        default=(TextVariation(name="none"),), description="Fixed changes of the user's turns."
    )
    turns: dict[Whole, Number] = Field(
        default={1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1},
        description="Weight of each number of user turns, as `2: 0.3`.",
    )
    conversations_per_qa: Whole = Field(
        default=10, ge=1, description="At most so many dialogues are led by one pair."
    )
    num_conversations: Whole = Field(
        default=2000, ge=1, description="At most so many dialogues are written."
    )
    top_k: Whole = Field(default=1000, ge=1, description="So many of those that pass are kept.")
    similarity_threshold: Number = Field(
        default=0.95,
        gt=0,
        le=1,
        description="Cosine similarity from which two dialogues are duplicates.",
    )
    embedding_model: OptionalText = Field(
        default=None,
        description="A hosted model, `sentence-transformers/<name>`, or `embedded` (hashed "
        "character n-grams). None: text-embedding-3-small where OPENAI_API_KEY is set and a model "
        "is asked over the network, else `embedded`.",
    )
    selection: Selection = Field(default_factory=Selection, description="How the top K are chosen.")

    @field_validator("today")
    @classmethod
    def _is_a_day(cls, value: str | None) -> str | None:
        try:
            return None if value is None else date.fromisoformat(value).isoformat()
        except ValueError:
            raise broken_rule(f"{value!r} is no day; write it as 2026-01-31") from None

    @field_validator("topics")
    @classmethod
    def _topics_differ(cls, value: tuple[Topic, ...]) -> tuple[Topic, ...]:
        return unique(value, [topic.name for topic in value], "name")

    @field_validator(
        "personas", "system_prompts", "styles", "emotions", "input_modalities", "text_variations"
    )
    @classmethod
    def _can_be_drawn_from(cls, value: tuple[Trait, ...]) -> tuple[Trait, ...]:
        if not value:
            raise broken_rule("the list is empty; leave the key out, or give at least one entry")
        _some_weight([trait.weight for trait in value])
        return unique(value, [trait.name for trait in value], "name")

    @field_validator("turns")
    @classmethod
    def _turns_can_be_drawn(cls, value: dict[int, float]) -> dict[int, float]:
        for count, weight in value.items():
            if not 1 <= count <= _MOST_TURNS:
                raise broken_rule(f"{count} turns: a dialogue has 1 to {_MOST_TURNS}")
            if weight < 0:
                raise broken_rule(f"the weight {weight} of {count} turns is below 0")
        _some_weight(list(value.values()))
        return dict(sorted(value.items()))

    @model_validator(mode="after")
    def _topics_name_personas(self) -> Self:
        known = [persona.name for persona in self.personas]
        problems = [
            (
                f"topics.{index}.personas",
                f"{name!r} is not one of conversations.personas; known: {', '.join(known)}",
            )
            for index, topic in enumerate(self.topics)
            for name in topic.personas
            if name not in known
        ]
        if problems:
            raise broken_rules(problems)
        return self

    @property
    def day(self) -> date:
        """The day that counts as today."""
        return date.fromisoformat(self.today) if self.today else date.today()


def _some_weight(weights: Sequence[float]) -> None:
    if sum(weights) <= 0:
        raise broken_rule("the weights sum to 0; give at least one entry a weight above 0")
