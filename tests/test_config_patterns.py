"""Patterns of the configuration: what git would never match is refused, nothing else."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from synth_dspy.config.patterns import checked_pattern


@pytest.mark.parametrize(
    "pattern",
    ["*.md", "[ab].md", "[!ab]", "[]a]", r"\[draft", r"[\]]", "**/a/", "!b.md", "# note", ""],
)
def test_a_pattern_of_git_is_taken_as_it_is(pattern: str) -> None:
    assert checked_pattern(pattern) == pattern


@pytest.mark.parametrize("pattern", ["[", "a[", "[]", "[!]", r"\\[x", "[a].md[", "!"])
def test_a_pattern_that_matches_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(PydanticCustomError, match=r"is no pattern of a \.gitignore"):
        checked_pattern(pattern)
