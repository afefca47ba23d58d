"""The question types there are. A new one is a file here and a line in `TYPES`."""

from __future__ import annotations

from synth_dspy.programs.types.caption import CAPTION
from synth_dspy.programs.types.code_generation import CODE_GENERATION
from synth_dspy.programs.types.contract import Kind, nearest
from synth_dspy.programs.types.function_completion import FUNCTION_COMPLETION
from synth_dspy.programs.types.qa import QA
from synth_dspy.programs.types.summary import SUMMARY

TYPES: tuple[Kind, ...] = (
    FUNCTION_COMPLETION,
    CODE_GENERATION,
    QA,
    CAPTION,
    SUMMARY,
)

__all__ = ["TYPES", "Kind", "by_name", "nearest"]


def by_name(types: tuple[Kind, ...] = TYPES) -> dict[str, Kind]:
    """The types by their names, in order."""
    return {kind.name: kind for kind in types}
