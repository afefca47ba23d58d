"""Question and answer pairs that a passage's functions give: what they return, when they refuse.

A passage and the code before it enter, pairs leave. Each question says what its function does, so
that it is understandable without the passage.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.functions import Function, functions
from synth_dspy.lm.offline.pair import Pair, mixed
from synth_dspy.lm.offline.verbs import third_person
from synth_dspy.lm.offline.words import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

_RAISES = re.compile(r"\b(?:raises?|gives?|is|are) (?:an? )?`?(?P<error>[A-Z]\w*Error)`?")
_GIVES = re.compile(
    r"\b(?:gives?|returns?|is|are) (?P<value>None|True|False|0(?:\.0)?)(?![.\d]*\d)\b"
)
_MAX_RESULT = 120


@lru_cache(maxsize=256)
def pairs(passage: str, prior_code: str = "") -> tuple[Pair, ...]:
    """Every pair of the passage's functions, kinds mixed."""
    found = functions(passage, prior_code)
    refusals = [pair for function in found for pair in _refusals(function)]
    known = numbers(f"{passage}\n{prior_code}")
    results = [pair for function in found for pair in _results(function, known)]
    return mixed([refusals, results])


def _lead(function: Function) -> str:
    """`The function f(a: int) returns ...`, from the docstring's first sentence; "" if unclear."""
    clause = third_person(_sentences(function)[0].rstrip(".")) if _sentences(function) else ""
    short = clause and len(clause) <= 220 and not re.search(r"[:;]$", clause)
    return f"The function `{function.signature}` {clause}." if short else ""


def _sentences(function: Function) -> list[str]:
    # Docstrings are plain text: `2**bits` there is no bold.
    return prose.split(function.prose)


def _refusals(function: Function) -> Iterator[Pair]:
    lead = _lead(function)
    for sentence in _sentences(function)[1:]:
        raised, given = _RAISES.search(sentence), _GIVES.search(sentence)
        if not lead or re.match(r"(?:It|This|They|That|Otherwise|So|But)\b", sentence):
            continue
        if raised:
            what = f"When does it raise `{raised['error']}`?"
        elif given:
            what = f"When does it give `{given['value']}`?"
        else:
            continue
        answer = f"In `{function.name}`, {sentence[0].lower()}{sentence[1:]}"
        if re.match(r"[A-Z][A-Z\d]|`", sentence):
            answer = f"In `{function.name}`, {sentence}"
        yield Pair("function", function.name, (f"{lead} {what}",), answer)


def _results(function: Function, known: frozenset[str]) -> Iterator[Pair]:
    lead = _lead(function)
    simple = [e for e in function.examples if e.expression.startswith(f"{function.name}(")]
    # The last example of a docstring is its edge case more often than the first.
    for example in [e for e in simple[::-1] if e.outcome == "value"][:2]:
        if not lead or len(example.expected) > _MAX_RESULT or len(example.expression) > _MAX_RESULT:
            continue
        if not re.fullmatch(rf"{function.name}\((?:[^()]|\([^()]*\))*\)", example.expression):
            continue
        if not numbers(example.expression) <= known:
            continue  # spelled otherwise in the document, as 0x31 is
        answer = f"`{example.expression}` returns `{example.expected}`."
        why = _explains(function, example.expected)
        yield Pair(
            "result", function.name, (f"{lead} What does `{example.expression}` return?",),
            f"{answer} {why}".strip(),
        )  # fmt: skip


def _explains(function: Function, expected: str) -> str:
    """The sentence of the documentation that names the very value, where there is just one."""
    if expected not in ("None", "True", "False"):
        return ""
    named = [s for s in _sentences(function)[1:] if re.search(rf"\b{expected}\b", s)]
    fine = len(named) == 1 and not re.match(r"(?:It|This|They|That|Otherwise|So|But)\b", named[0])
    return named[0] if fine else ""
