"""Whether a question is one that its passage answers: checks of its form and its grounding.

A question and what gold says of it enter, faults in words leave. Meaning is not judged here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.words import coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

_OF_THE_TEXT = re.compile(
    r"\b(?:the|this) (?:passage|text|author|section|document|excerpt|paragraph)s?\b|"
    r"\b(?:mentioned|described|shown) (?:above|below|here)\b",
    re.IGNORECASE,
)
_GROUNDED = 0.3  # a natural question shares few words with its answer, an invented one hardly any
_MOST_WORDS = 60


def question_faults(
    question: str, *, passage: str, about: Sequence[str], must_not: Sequence[str]
) -> tuple[list[str], int]:
    """What is wrong with a question, and how many checks there were.

    Args:
        about: words of which it must hold one, so that it is about what the passage teaches.
        must_not: phrases that would give the answer away, or do not belong there.
    """
    text = question.strip()
    lower = text.casefold()
    given_away = [phrase for phrase in must_not if phrase.casefold() in lower]
    checks = (
        (text.endswith("?") and text.count("?") == 1, "It must be one question, with one `?`."),
        (3 <= len(text.split()) <= _MOST_WORDS, f"It must have 3 to {_MOST_WORDS} words."),
        (
            not _OF_THE_TEXT.search(text),
            "Its reader does not have the passage: it must not speak of the text.",
        ),
        (
            any(word.casefold() in lower for word in about),
            f"It must be about what the passage teaches: {', '.join(about)}.",
        ),
        (not given_away, f"It must not hold {', '.join(map(repr, given_away))}."),
        (
            coverage(text, passage) >= _GROUNDED,
            "Too few of its words occur in the passage, so the passage may not answer it.",
        ),
    )
    return [said for held, said in checks if not held], len(checks)
