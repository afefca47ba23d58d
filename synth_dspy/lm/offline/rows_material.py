"""The sentences that rows are made of: those of a passage that stand alone.

A passage enters; sentences leave, in order.
"""

from __future__ import annotations

import re
from functools import lru_cache

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.pair import stands_alone
from synth_dspy.lm.offline.words import stem_set

LEAST_WORDS, MOST_WORDS = 5, 45

# A sentence that counts or asks for what stands before it.
_LEANS = re.compile(
    r"^(?:All|Both|Two|Three|Four|Some|None|Most|What|Whatever|A (?:second|third))\b"
)


@lru_cache(maxsize=256)
def sentences(passage: str) -> tuple[str, ...]:
    """Sentences that are understood without what stands around them."""
    found = (sentence.text for sentence in prose.read(passage).sentences)
    return tuple(
        dict.fromkeys(
            text
            for text in found
            if stands_alone(text)
            and not _LEANS.match(text)
            and LEAST_WORDS <= len(text.split()) <= MOST_WORDS
            and len(stem_set(text)) >= 3
        )
    )


@lru_cache(maxsize=256)
def headed(passage: str) -> tuple[tuple[str, str], ...]:
    """A heading of the passage, and the first sentence below it that shares a word with it."""
    standing, found = set(sentences(passage)), {}
    for sentence in prose.read(passage).sentences:
        if sentence.heading in found or sentence.text not in standing:
            continue
        if stem_set(sentence.heading) & stem_set(sentence.text):
            found[sentence.heading] = sentence.text
    return tuple(found.items())


def dice(a: str, b: str) -> float:
    """Twice the shared content words over all of both, 0 to 1 (Dice, 1945)."""
    left, right = stem_set(a), stem_set(b)
    return 2 * len(left & right) / (len(left) + len(right)) if left or right else 1.0
