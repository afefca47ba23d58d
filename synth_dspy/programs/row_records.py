"""What flows in the recipe `rows`: Request -> Brief; Seed -> Batch -> Draft -> row.

Frozen, JSON on disk, like the records of every recipe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from synth_dspy.records import Judgement, Step


@dataclass(frozen=True, slots=True)
class Request:
    """What the user typed, and the form of the rows that are wanted."""

    query: str
    form: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A request as rows are written for it.

    Attributes:
        request: refined, or as it was typed.
        topics, personas: what batches are spread over.
    """

    request: str
    topics: tuple[str, ...] = ()
    personas: tuple[str, ...] = ()
    steps: dict[str, Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seed:
    """The material of some batches: a passage, or subjects and a persona.

    Attributes:
        contrast: another passage of the same documents.
        source: of a passage: name, path, sha256, revision, chunk, span (characters of the
            document's text), cells, pages, heading.
    """

    passage: str = ""
    contrast: str = ""
    topics: tuple[str, ...] = ()
    persona: str = ""
    source: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """An order for some rows.

    Attributes:
        mix: rows wanted of each label or range; empty where a format has none.
        avoid: rows that batches of earlier waves wrote from the same seed.
        variant: batches on this seed before.
    """

    seed: Seed
    request: str
    count: int
    variant: int = 0
    mix: tuple[tuple[str, int], ...] = ()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that a model wrote.

    Attributes:
        values: the format's fields, validated; as they came where `problem` says what is wrong.
        extra: names of fields that the format does not have; they were left out.
        place: where it stood in its reply.
        spans: by field, where its text stands word for word in the document.
    """

    values: dict[str, Any]
    source: dict[str, Any]
    place: int = 0
    problem: str = ""
    extra: tuple[str, ...] = ()
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    persona: str = ""
    steps: dict[str, Step] = field(default_factory=dict)
    judgement: Judgement | None = None
