"""A sample that was made and not accepted, as the analysis and the report show it."""

from __future__ import annotations

from dataclasses import dataclass


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
