"""Patterns of a .gitignore as text of the configuration; those that git would never match are
refused, since nobody means that. Knows no file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from synth_dspy.config.base import broken_rule

_BRACKET = re.compile(r"\\.|\[(?:[!^]?+\]?+(?:\\.|[^\]\\])*\])?", re.DOTALL)


def checked_pattern(pattern: str) -> str:
    """The pattern as it was written.

    Raises:
        PydanticCustomError: git would take it for no pattern.
    """
    import pathspec

    if any(found == "[" for found in _BRACKET.findall(pattern)):
        raise broken_rule(
            f"{pattern!r} is no pattern of a .gitignore: a '[' is never closed; write \\[ for the "
            "character itself"
        )
    try:
        pathspec.GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        raise broken_rule(
            f"{pattern!r} is no pattern of a .gitignore; write one such as *.md, docs/ or !a.md"
        ) from None
    return pattern


PatternText = Annotated[str, AfterValidator(checked_pattern)]
