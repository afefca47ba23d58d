"""Premises with hypotheses whose label is sure, and sentences with how alike they are.

A passage and another section's enter; rows of `pair-class` and `pair-score` leave. An entailment is
a clause of its premise, a contradiction denies the premise or changes its number, a neutral
hypothesis is a sentence of the other section; a score is a share of words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from synth_dspy.lm.offline.rows_material import dice, sentences
from synth_dspy.lm.offline.verbs import can_be_subject
from synth_dspy.lm.offline.words import negations, numbers, stem_set

ENTAILMENT, NEUTRAL, CONTRADICTION = 0, 1, 2

_AUX = "is|are|was|were|can|must|should|will|has to|have to"
_MAIN = re.compile(rf"^(?P<subject>[^.,;:?!]{{2,70}}?) (?P<aux>{_AUX}) (?P<rest>[^;:]+)$")
_CLAUSES = re.compile(
    r"^(?P<first>[^;]{20,}?)(?:; |, and |, but |, so |,? because |, while )(?P<more>.+)$"
)
_HEDGED = re.compile(
    r"\b(?:only|all|every|each|some|any|most|few|many|often|usually|sometimes|may|might|both|"
    r"either|that|which|who|where|when|if|unless|than)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?<![\w.,])(\d{1,4})(?:\.\d+)?(?= [a-z])")

Row = dict[str, object]


def classified(passage: str, contrast: str) -> dict[int, list[Row]]:
    """Rows by label."""
    found: dict[int, list[Row]] = {ENTAILMENT: [], NEUTRAL: [], CONTRADICTION: []}
    others = sentences(contrast)
    for at, premise in enumerate(sentences(passage)):
        for hypothesis in _clauses(premise):
            found[ENTAILMENT].append(_row(premise, hypothesis, ENTAILMENT))
        for hypothesis in (_denied(premise), _miscounted(premise)):
            if hypothesis:
                found[CONTRADICTION].append(_row(premise, hypothesis, CONTRADICTION))
        if others:
            other = others[at % len(others)]
            if dice(premise, other) < 0.5 and not _opposed(premise, other):
                found[NEUTRAL].append(_row(premise, other, NEUTRAL))
    # A statement follows from itself and another.
    for first, second in pairwise(sentences(passage)):
        if not negations(second) and dice(first, second) < 0.6:
            found[ENTAILMENT].append(_row(f"{first} {second}", first, ENTAILMENT))
    return found


def _row(premise: str, hypothesis: str, label: int) -> Row:
    return {"premise": premise, "hypothesis": hypothesis, "label": label}


def _clauses(sentence: str) -> Iterator[str]:
    """The first clause of a sentence of two, as a sentence."""
    found = _CLAUSES.match(sentence)
    if not found or re.match(
        r"(?:If|When|Unless|Where|Although|While|Before|After|To)\b", sentence
    ):
        return
    first = found["first"].strip()
    main = _MAIN.match(first)
    if main and can_be_subject(main["subject"]) and len(stem_set(first)) >= 2:
        yield f"{first}."


def _denied(sentence: str) -> str:
    """The sentence denied; "" where a `not` might not make it false."""
    found = _MAIN.match(sentence)
    if not found or negations(sentence) or _HEDGED.search(sentence):
        return ""
    if not can_be_subject(found["subject"]) or "," in found["rest"]:
        return ""
    aux, rest = found["aux"], found["rest"]
    if aux in ("can", "should", "will", "must"):
        # What is not a must may still be done; that it must not denies it.
        return f"{found['subject']} {'cannot' if aux == 'can' else aux + ' not'} {rest}"
    if aux in ("has to", "have to"):
        return ""
    return f"{found['subject']} {aux} not {rest}"


def _miscounted(sentence: str) -> str:
    """The sentence with its one number changed; "" where it has none, or more."""
    found = _COUNT.findall(sentence)
    if (
        len(found) != 1
        or len(numbers(sentence)) != 1
        or negations(sentence)
        or _HEDGED.search(sentence)
    ):
        return ""
    if re.search(r"\b(?:at least|at most|up to|about|more than|less than|over|under)\b", sentence):
        return ""
    value = int(found[0])
    changed = value * 2 + 1
    return re.sub(rf"(?<![\w.,]){found[0]}(?= [a-z])", str(changed), sentence, count=1)


def _opposed(a: str, b: str) -> bool:
    return dice(a, b) > 0.3 and (negations(a) > 0) != (negations(b) > 0)


def scored(passage: str, contrast: str) -> list[Row]:
    """Pairs of sentences with the share of content words that they have in common."""
    own, others = sentences(passage), sentences(contrast)
    found: list[tuple[str, str]] = []
    for at, first in enumerate(own):
        found += [(first, clause) for clause in _clauses(first)]
        if at + 1 < len(own):
            second = own[at + 1]
            found += [(f"{first} {second}", first), (f"{first} {second}", f"{second} {first}")]
            found.append((first, second))
        if at + 2 < len(own):
            second, third = own[at + 1], own[at + 2]
            found.append((f"{first} {second}", f"{second} {third}"))
            found.append((f"{first} {second} {third}", f"{first} {third}"))
        if others:
            found.append((first, others[at % len(others)]))
    return [
        {"sentence1": one, "sentence2": two, "score": round(dice(one, two), 2)}
        for one, two in dict.fromkeys(found)
        if _fair(one, two)
    ]


def _fair(one: str, two: str) -> bool:
    """Whether shared words say how alike they are: not where one denies the other."""
    return (negations(one) > 0) == (negations(two) > 0) or dice(one, two) < 0.5
