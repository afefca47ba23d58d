"""Sums a passage up in sentences of its own: those that say most of what the others say.

A passage and a number of sentences enter, the sentences leave, in their order. It composes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import pair, prose
from synth_dspy.lm.offline.words import Weights, cosine, stem_set, stems

if TYPE_CHECKING:
    from synth_dspy.lm.offline.prose import Sentence

# What it is worth to open the passage, or a paragraph, and to speak of what the heading names.
_FIRST, _OPENING, _HEADING = 0.2, 0.1, 0.1
_LEAST_WORDS = 6
_REPEATS = 0.6  # share of words from which a sentence says what a chosen one says
_LEADS_ON = re.compile(
    r"^(?:Step \w+|Called|Not|Two|Three|Turned|\w+(?:ing)? (?:first|second|third|last)\b|"
    r"Every function|Throughout|Beside|One by one)"
)
_MAIN = 8


def summary(passage: str, most: int) -> str:
    """At most `most` sentences; "" when too few of them stand alone."""
    text = prose.read(passage)
    fit = [s for s in text.sentences if _fits(s)]
    if len(fit) < 2 or most < 1:
        return ""
    words = [stems(s.text) for s in fit]
    weights = Weights(words)
    whole = weights.vector([w for row in words for w in row])
    headings = stem_set(" ".join(text.headings))
    first = fit[0].block
    scored = sorted(
        range(len(fit)),
        key=lambda i: (
            -cosine(weights.vector(words[i]), whole)
            - _FIRST * (fit[i].block == first)
            - _OPENING * (fit[i].index == 0)
            - _HEADING * bool(set(words[i]) & headings),
            i,
        ),
    )
    chosen: list[int] = []
    for i in scored:
        if len(chosen) == most:
            break
        if not any(_alike(words[i], words[j]) for j in chosen):
            chosen.append(i)
    return " ".join(fit[i].text for i in sorted(chosen))


def _fits(sentence: Sentence) -> bool:
    text = sentence.text
    long_enough = len(text.split()) >= _LEAST_WORDS
    whole = not text.endswith("?") and not _LEADS_ON.match(text) and not sentence.item
    return long_enough and whole and pair.stands_alone(text)


def main_words(passage: str) -> frozenset[str]:
    """The stems that a passage uses most, those of its headings among them."""
    text = prose.read(passage)
    counted = Counter(stems(" ".join(s.text for s in text.sentences)))
    for word in stem_set(" ".join(text.headings)):
        counted[word] += 2
    repeated = [word for word, count in counted.most_common(_MAIN) if count > 1]
    return frozenset(repeated)


def _alike(a: list[str], b: list[str]) -> bool:
    shared = sum((Counter(a) & Counter(b)).values())
    return shared >= _REPEATS * min(len(a), len(b))
