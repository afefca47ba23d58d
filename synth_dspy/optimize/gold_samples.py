"""A run's samples as gold items that nobody has labelled yet.

Finished or dropped candidates enter, items leave whose inputs are exactly what the step would be
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold_records import GoldItem
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.programs.module import context_of
from synth_dspy.programs.types import by_name
from synth_dspy.records import Candidate, digest

_UNKNOWN = "not stated"


def unlabelled(
    step: GoldStep,
    candidates: Iterable[Candidate],
    *,
    categories: Mapping[str, str],
    licenses: Mapping[str, str],
) -> list[GoldItem]:
    """One item a candidate, each content once, in order.

    Args:
        categories: name to description; licenses: a source's name, or a path, to its licence.

    Raises:
        UserError: the step is not one whose samples people review.
    """
    ask = _ASKED.get(step.name)
    if ask is None:
        raise UserError(
            f"Samples of a run can be reviewed for {' and '.join(_ASKED)}, not for {step.name}."
        )
    found: dict[str, GoldItem] = {}
    for candidate in candidates:
        inputs = ask(candidate, categories)
        name = f"{step.name}-{digest(inputs)[:10]}"
        chunk = candidate.chunk
        license_ = licenses.get(chunk.path) or licenses.get(chunk.source) or _UNKNOWN
        found.setdefault(name, GoldItem(name, "heldout", inputs, {}, chunk.path, license_))
    return list(found.values())


def _judged(candidate: Candidate, _categories: Mapping[str, str]) -> dict[str, Any]:
    kind = candidate.task.type
    return {
        "type": kind,
        "form": by_name()[kind].form,
        "question": candidate.question,
        "answer": candidate.answer,
        "image": None,
        **context_of(candidate.chunk, candidate.image),
    }


def _classified(candidate: Candidate, categories: Mapping[str, str]) -> dict[str, Any]:
    return {
        "question": candidate.question,
        "answer": candidate.answer,
        "heading": candidate.chunk.heading,
        "categories": [f"{name}: {text}" for name, text in categories.items()],
    }


_ASKED: dict[str, Callable[[Candidate, Mapping[str, str]], dict[str, Any]]] = {
    "judge": _judged,
    "classify": _classified,
}
