"""Questions from sentences of two clauses: reasons, conditions, purposes.

Prose enters, pairs leave. A clause is turned into a question only where that is sure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.nouns import as_inside
from synth_dspy.lm.offline.pair import Pair, answer_from, stands_alone
from synth_dspy.lm.offline.verbs import can_be_subject, is_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dspy.lm.offline.prose import Prose

_PURPOSE = re.compile(r"^To (?P<end>[a-z]+ [^,:;]{6,80}), (?P<main>[^?]+)\.$")
# A condition without a subject, or on a thing that only its own page knows.
_UNNAMED = re.compile(
    r"(?:not )?\w+(?:ing|ed)\b|(?:the|an?) (?:input|output|function|method|code|value|result|list|"
    r"argument|parameter|control|answer)s? "
)
_AUX = r"is|are|can|cannot|must|should|will|may"
_MAIN = re.compile(rf"^(?P<subject>[^.,;:?!]{{2,70}}?) (?P<aux>{_AUX}) (?P<rest>[^;:]+)$")
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|this|that one|these|those|he|she|his|her)\b", re.IGNORECASE
)


def reasons(text: Prose) -> Iterator[Pair]:
    """`M because R`, `Because R, M` -> Why M?"""
    whole = " ".join(s.text for s in text.sentences)
    for sentence in text.sentences:
        found = re.match(r"^(?P<main>.+?),? because (?P<why>[^?]+)\.$", sentence.text)
        first = re.match(
            r"^(?:Because|Since) (?P<why>[^,]+(?:, [^,]+)??), (?P<main>[^:;]+?)[.:;]", sentence.text
        )
        found = found or first
        if not found or not stands_alone(sentence.text):
            continue
        question = _why(found["main"], whole)
        if question:
            yield Pair("reason", found["main"], (question,), answer_from(text, sentence))


def _why(main: str, whole: str) -> str:
    """The clause turned into a question; "" where that is not sure."""
    main = main.strip().rstrip(".")
    found = _MAIN.match(main)
    if not found or not can_be_subject(found["subject"][0].upper() + found["subject"][1:]):
        return ""
    rest = found["rest"]
    if _PRONOUN.search(main) or len(rest.split()) > 18 or "," in rest:
        return ""
    subject = as_inside(found["subject"], whole)
    aux = found["aux"]
    if aux == "cannot":
        return f"Why can {subject} not {rest}?"
    if rest.startswith("not "):
        return f"Why {aux} {subject} not {rest[4:]}?"
    return f"Why {aux} {subject} {rest}?"


def conditions(text: Prose) -> Iterator[Pair]:
    """`When C, M.` -> What happens when C?"""
    for sentence in text.sentences:
        found = re.match(
            r"^(?P<word>When|If) (?P<when>[^,]{10,110}), (?P<main>.+)\.$", sentence.text
        )
        if not found or not stands_alone(sentence.text):
            continue
        when = found["when"]
        if _PRONOUN.search(when) or re.search(r"\bthe (?:two|three|other|same|result)\b", when):
            continue
        if re.match(r"(?:then )?(?:it|they|this|that|there|and|but|or|so)\b", found["main"]):
            continue
        if "?" in when or re.search(r" there (?:is|are)\b", when):
            continue
        if re.search(r"\b(?:did|was|were|had)\b", found["main"]) or len(found["main"].split()) < 5:
            continue
        if _UNNAMED.match(when):
            continue
        if re.search(r"\b(?:instead|again|also|too|then|both|either|was|were|had)\b", when):
            continue
        word = found["word"].lower()
        yield Pair(
            "condition", when, (f"What happens {word} {when}?",), answer_from(text, sentence)
        )


def purposes(text: Prose) -> Iterator[Pair]:
    """`To gauge a river, M.` -> How can one gauge a river?"""
    for sentence in text.sentences:
        found = _PURPOSE.match(sentence.text)
        if not found or not stands_alone(sentence.text) or _PRONOUN.search(found["end"]):
            continue
        end = found["end"]
        if re.match(
            r"(?:be|see|do|get|make|better|further|undo|learn|summari[sz]e|this|illustrate|start|begin)\b",
            end,
        ):
            continue
        orders = is_order(found["main"]) or re.search(
            r"\b(?:one (?:can|needs)|must)\b", found["main"]
        )
        if orders and len(found["main"].split()) >= 5 and not re.search(r"\bone\b", end):
            question = f"How can one {end}?"
            yield Pair("purpose", end, (question,), answer_from(text, sentence))
