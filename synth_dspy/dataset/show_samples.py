"""Samples of the recipe `assistant`, and what was rejected of them, as a report shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.dataset.shown import Part, Shown
from synth_dspy.dataset.statistics import modality

if TYPE_CHECKING:
    from synth_dspy.dataset.rejected import Rejected
    from synth_dspy.records import Sample

_STUB = re.compile(r"\s*(?:#|@|(?:import|from|def|async|class)\s)")
_DEF = re.compile(r"^[ \t]*(?:async )?def [^\n]*", re.MULTILINE)


def show_sample(sample: Sample) -> Shown:
    """An accepted sample."""
    title, is_stub = _title(sample.question)
    tested = f"Test of {sample.entry_point}" if sample.entry_point else "Test"
    return Shown(
        id=sample.id,
        title=title,
        code=is_stub,
        facets={
            "type": sample.type,
            "category": sample.category,
            "split": sample.split,
            "modality": modality(sample),
            "difficulty": sample.difficulty,
        },
        parts=(
            *_parts(sample.question, sample.answer, sample.test_code, tested, is_stub),
            Part("Code that it stands on", "code", sample.code_context, folded=True),
        ),
        source=sample.source,
        image=sample.image,
        metadata=sample.metadata,
    )


def show_rejected(row: Rejected) -> Shown:
    """One that was rejected, as far as it had been made."""
    title, is_stub = _title(row.question)
    return Shown(
        id=str(row.metadata.get("task") or ""),
        title=title,
        code=is_stub,
        facets={
            "type": row.type,
            "category": row.category,
            "modality": row.modality or ("multimodal" if row.image else ""),
            "difficulty": row.difficulty,
        },
        parts=_parts(row.question, row.answer, row.test_code, "Test", is_stub),
        source=row.source,
        image=row.image,
        metadata=row.metadata,
        stage=row.stage,
        reason=row.reason,
        detail=row.detail,
        errors=row.errors,
    )


def _title(question: str) -> tuple[str, bool]:
    """A line for the list, and whether the question is a stub."""
    found = _DEF.search(question) if _STUB.match(question) else None
    return (found[0].strip(), True) if found else (question.strip() or "(no question)", False)


def _parts(question: str, answer: str, test: str, tested: str, is_stub: bool) -> tuple[Part, ...]:
    return (
        Part("Question", "code" if is_stub else "prose", question),
        Part("Answer", "code" if test else "prose", answer),
        Part(tested, "code", test),
    )
