"""Questions with their answers, near misses, and contexts: rows of `pair`, `triplet` and `qa`.

A passage and another section's enter; rows leave. Every text is a sentence of the source, or a
question that the passage's own words make.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from synth_dspy.lm.offline import facts, prose
from synth_dspy.lm.offline.rows_material import dice, headed, sentences
from synth_dspy.lm.offline.words import coverage, stem_set

_LEAST_CONTEXT = 12  # words
_ENDED = re.compile(r"[.!?][\"'\u201d\u2019)\]]*$")
_SAME = 0.6  # a text as alike as this to the positive may answer as well as it

Row = dict[str, object]


@lru_cache(maxsize=256)
def asked(passage: str) -> tuple[tuple[str, str], ...]:
    """What is asked, with its answer: questions first, then headings."""
    found = [(pair.questions[0], pair.answer) for pair in facts.pairs(passage)]
    found += [
        (pair.questions[1], pair.answer) for pair in facts.pairs(passage) if pair.questions[1:]
    ]
    return tuple(dict([*headed(passage), *reversed(found)]).items())[::-1]


def pairs(passage: str) -> Iterator[Row]:
    """Rows of `pair`."""
    for anchor, positive in asked(passage):
        yield {"anchor": anchor, "positive": positive}


def triplets(passage: str, contrast: str) -> Iterator[Row]:
    """Rows of `triplet`; the negative is the other section's nearest sentence, else the passage's
    own that has least to do with the anchor."""
    for at, (anchor, positive) in enumerate(asked(passage)):
        negative = _near_miss(anchor, positive, sentences(contrast), at) or _near_miss(
            anchor, positive, sentences(passage), at
        )
        if negative:
            yield {"anchor": anchor, "positive": positive, "negative": negative}


def _near_miss(anchor: str, positive: str, among: tuple[str, ...], turn: int) -> str:
    """One of the sentences nearest to the anchor that do not answer it; "" for none."""
    fit = [
        text
        for text in among
        if text not in positive and dice(text, positive) < _SAME and coverage(anchor, text) < 1.0
    ]
    near = sorted(fit, key=lambda text: -dice(text, f"{anchor} {positive}"))[:3]
    return near[turn % len(near)] if near else ""


def grounded(passage: str) -> Iterator[Row]:
    """Rows of `qa`: the context is the paragraph that the answer stands in."""
    for pair in facts.pairs(passage):
        context = _around(pair.answer, passage)
        if len(context.split()) >= _LEAST_CONTEXT:
            for question in pair.questions[:1]:
                yield {"context": context, "question": question, "answer": pair.answer}


def _around(answer: str, passage: str) -> str:
    """The paragraph with the sentence that the answer begins with; "" for none."""
    text = prose.read(passage)
    start = next((s for s in text.sentences if s.text and s.text in answer), None)
    if start is None:  # a clause of a sentence
        start = next((s for s in text.sentences if stem_set(answer) <= stem_set(s.text)), None)
    if start is None:
        return ""
    told = [s.text for s in text.sentences if s.block == start.block]
    # "With a = 2 b the dew point is" leads up to a formula that stands on lines of its own.
    while len(told) > 1 and not _ENDED.search(told[-1]) and told[-1] not in answer:
        told.pop()
    return " ".join(told)
