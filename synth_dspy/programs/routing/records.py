"""What flows in the `routing` recipe: Draw -> Sampled -> Selected -> Batch -> Example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synth_dspy.programs.routing.plans import Planned
from synth_dspy.sources.backends import Content, SampleOrder


@dataclass(frozen=True, slots=True)
class Draw:
    """What a run samples.

    Attributes:
        content: the backend's version: other content is another draw.
    """

    optimizer: str
    orders: tuple[SampleOrder, ...]
    content: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """A draw's records, in its order, each once."""

    draw: Draw
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Selected:
    """The records of the selected profiles' modalities, with the reasons for the selection."""

    draw: Draw
    contents: tuple[Content, ...]
    profiles: tuple[str, ...]
    reasoning: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders whose queries one call writes; `number` from 0."""

    optimizer: str
    number: int
    planned: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A row of the dataset.

    Attributes:
        rank: its place in the plan; the lower one stays among equal queries.
        row: by the optimizer's schema, as JSON.
        source: id of the record that answers; rows of one record are in one split.
        query_by: `model` or `rules`.
    """

    rank: int
    optimizer: str
    label: str
    query: str
    row: dict[str, Any]
    source: str
    query_by: str
    split: str = ""
