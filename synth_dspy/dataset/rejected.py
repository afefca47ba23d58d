"""A sample that was made and not accepted, as the analysis and the report show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejection.

    Attributes:
        stage: where it fell.
        reason: machine-readable, one word or a few with underscores.
        detail: what a person wants to read: the error, the judge's reason, the duplicate's id.
        type: question type, "" when it is not known.
        source: relative path of the source.
        answer, test_code, category, difficulty, image: as far as they were made, else "".
        modality: text or multimodal, "" when it is not known.
        errors: every report of a failed attempt, oldest first.
        metadata: provenance as far as it is known, in the form of `Sample.metadata`.
    """

    stage: str
    reason: str
    detail: str
    question: str
    type: str
    source: str
    answer: str = ""
    test_code: str = ""
    category: str = ""
    difficulty: str = ""
    image: str = ""
    modality: str = ""
    errors: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
