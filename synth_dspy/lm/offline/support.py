"""How well a source supports a text: words, numbers, names and denials, sentence by sentence.

Two texts enter, a `Support` leaves. It knows nothing of questions or criteria.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import prose
from synth_dspy.lm.offline.claims import contradicts, counts, known_counts
from synth_dspy.lm.offline.functions import spoken
from synth_dspy.lm.offline.module import module
from synth_dspy.lm.offline.words import numbers, stem_set, stems

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]*[a-z]\w*")
_CODE = re.compile(r"`([^`]+)`")
_ABOUT = 0.3  # of a sentence's words in another: they speak of the same


@dataclass(frozen=True, slots=True)
class Support:
    """What was found.

    Attributes:
        coverage: share of the text's content words that the source has; weakest: the same for its
            worst sentence, against the source's most alike sentence and its neighbours.
        numbers, names: those in the text that the source lacks.
        moved: numbers that the source has, but not near the most alike sentence.
        flipped: a sentence denies what its most alike sentence asserts, or the other way round, or
            says the opposite of a word of it.
        told: stems of the source's sentences that the text's are most alike; near: the same with
            the sentences beside those.
    """

    coverage: float
    weakest: float
    numbers: frozenset[str]
    names: frozenset[str]
    moved: frozenset[str]
    flipped: bool
    told: frozenset[str]
    near: frozenset[str]


@lru_cache(maxsize=256)
def _source(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Sentences of a source with their stems; its code goes in line by line."""
    found = [s.text for s in prose.read(text).sentences]
    found += [f"{s.heading}" for s in prose.read(text).sentences if s.heading and s.index == 0]
    found += [cell for t in prose.read(text).tables for row in t.rows for cell in [" ".join(row)]]
    for definition in module(text).names.values():
        if isinstance(definition.node, ast.FunctionDef):
            found += prose.split(spoken(ast.get_docstring(definition.node) or ""))
    found += [line.strip() for line in text.split("\n") if re.search(r"[(){}=]|>>>", line)]
    return tuple((sentence, stem_set(sentence)) for sentence in found)


def _stated(key: frozenset[str], told: Sequence[tuple[str, frozenset[str]]], best: int) -> str:
    """The most alike sentence that states something: a question asserts nothing that it asks."""
    if not told[best][0].endswith("?"):
        return told[best][0]
    stated = [i for i in range(len(told)) if not told[i][0].endswith("?")]
    nearest = max(stated, key=lambda i: (len(key & told[i][1]), -i), default=-1)
    return told[nearest][0] if nearest >= 0 else ""


@lru_cache(maxsize=1024)
def support(text: str, source: str) -> Support:
    """How well `source` supports `text`."""
    known = stem_set(source)
    wanted = stem_set(text)
    coverage = len(wanted & known) / len(wanted) if wanted else 0.0
    told = _source(source)
    weakest, flipped = 1.0, False
    moved: set[str] = set()
    spoken_of: set[str] = set()
    nearby_words: set[str] = set()
    for sentence in prose.split(prose.clean(text)[0]):
        words = stem_set(sentence)
        if not words:
            continue
        spoken_words = stem_set(_CODE.sub("", sentence))
        # Names in code marks are everywhere in a source; the other words find the sentence.
        key = spoken_words if len(spoken_words) >= 3 else words
        best = max(range(len(told)), key=lambda i: (len(key & told[i][1]), -i), default=-1)
        if best < 0:
            weakest = 0.0
            continue
        near = [told[i] for i in range(max(0, best - 1), min(len(told), best + 2))]
        around = frozenset().union(*(stems_ for _, stems_ in near))
        share = len(words & around) / len(words)
        weakest = min(weakest, 0.5 * share + 0.5 * len(words & known) / len(words))
        alike = len(key & told[best][1]) / len(key)
        if alike >= _ABOUT:
            spoken_of |= told[best][1]
            nearby_words |= around
        if alike >= 0.5 and len(spoken_words) >= 3:
            flipped |= contradicts(sentence, _stated(key, told, best))
        nearby = frozenset().union(*(numbers(s) for s, _ in near))
        moved |= numbers(_CODE.sub("", sentence)) - nearby
    lacking = counts(_CODE.sub("", text)) - known_counts(source) | numbers(text) - numbers(source)
    names = {n for n in _NAME.findall(_CODE.sub("", text)) if not stem_set(n) <= known}
    names |= {c for c in _CODE.findall(text) if not set(stems(c)) <= known}
    return Support(
        coverage,
        weakest,
        lacking,
        frozenset(names),
        frozenset(moved - lacking),
        flipped,
        frozenset(spoken_of),
        frozenset(nearby_words),
    )
