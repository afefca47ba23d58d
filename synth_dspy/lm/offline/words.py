"""Words of a text: stems of the content words, numbers, and how alike two texts are.

Strings enter, stems and scores in 0..1 leave. It knows no grammar and no markup.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?|\d+(?:[.,_]\d+)*")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[,_]\d{3})*(?:\.\d+)?|(?<![\w.])\.\d+|(?<=[A-Za-z])\d+")


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is kept as text, for tables of words that stay readable."""
    return frozenset(text.split())


_STOP = word_set(
    """
    a about above after again all also although am an and any are as at be because been
    before being below between both but by can cannot could did do does doing done down
    during each either else every few for from further get gets give gives given gave had
    has have having he her here hers him his how i if in into is it its itself just like may
    me might more most much must my neither no nor not now of off on once one only onto or
    other our out over own per same she should since so some such than that the their them
    then there these they this those through thus to together too under until up upon us use
    used uses using very via was we well were what when where whether which while who whom
    whose why will with within without would yes yet you your s t re ve ll d m shall let
    lets got make makes made say says said see seen show shows shown
    """
)
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|nothing|nobody)\b|n['\u2019]t\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A light stem of a lower-case word: plural, -ing, -ed, -ly and a few more endings removed."""
    word = word.replace("\u2019", "'").removesuffix("'s").removesuffix("'")
    if len(word) <= 3:
        return word
    for ending, put, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(put) >= least:
            word = word[: -len(ending)] + put
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


_ENDINGS = (
    ("sses", "ss", 3), ("ies", "y", 3), ("ications", "y", 3), ("ication", "y", 3),
    ("izations", "iz", 3), ("ization", "iz", 3), ("isation", "iz", 3), ("ising", "iz", 3),
    ("ised", "iz", 3), ("ises", "iz", 4), ("ations", "at", 3), ("ation", "at", 3),
    ("ating", "at", 3), ("ated", "at", 3), ("ates", "at", 3), ("ate", "at", 3),
    ("ions", "", 4), ("ion", "", 4), ("ingly", "", 4), ("edly", "", 4), ("ing", "", 4),
    ("ied", "y", 3), ("ed", "", 3), ("ments", "", 4), ("ment", "", 4), ("ness", "", 4),
    ("ally", "al", 4), ("ly", "", 4), ("ss", "ss", 3), ("us", "us", 3), ("is", "is", 3),
    ("xes", "x", 3), ("ches", "ch", 3), ("shes", "sh", 3), ("es", "e", 3), ("s", "", 3),
)  # fmt: skip


def stems(text: str) -> list[str]:
    """Stems of the content words, in order; identifiers are split into their words."""
    found = []
    for match in _WORD.findall(text):
        word = match.lower()
        if word[0].isdigit():
            found.append(_canonical(word))
        elif word not in _STOP and (len(word) > 1 or word.isalpha()):
            found.append(stem(word))
    return found


@lru_cache(maxsize=2048)
def stem_set(text: str) -> frozenset[str]:
    """The distinct stems of a text."""
    return frozenset(stems(text))


def numbers(text: str) -> frozenset[str]:
    """The numbers in a text in one spelling: `1,000.0` and `1000` are equal."""
    return frozenset(_canonical(found) for found in _NUMBER.findall(text))


def _canonical(number: str) -> str:
    digits = number.replace(",", "").replace("_", "")
    try:
        value = float(digits)
    except ValueError:
        return digits
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def negations(text: str) -> int:
    """How many words deny something."""
    return len(_NEGATIONS.findall(text))


def coverage(part: str, whole: str) -> float:
    """The share of the content words of `part` that occur in `whole`; 1.0 when it has none."""
    wanted = stem_set(part)
    return len(wanted & stem_set(whole)) / len(wanted) if wanted else 1.0


class Weights:
    """Inverse document frequencies over a few texts, each given as its stems."""

    def __init__(self, texts: Iterable[Iterable[str]]) -> None:
        sets = [frozenset(words) for words in texts]
        self._count = len(sets)
        self._frequency = Counter(word for words in sets for word in words)

    def weight(self, word: str) -> float:
        """Smoothed inverse document frequency; 1.0 for a word that is everywhere."""
        return math.log((1 + self._count) / (1 + self._frequency[word])) + 1.0

    def vector(self, words: Sequence[str]) -> dict[str, float]:
        """A vector of length 1 over the words; empty for no words."""
        counts = Counter(words)
        raw = {word: (1 + math.log(n)) * self.weight(word) for word, n in counts.items()}
        length = math.sqrt(sum(value * value for value in raw.values()))
        return {word: value / length for word, value in raw.items()} if length else {}


def cosine(a: dict[str, float], b: dict[str, float]) -> float:
    """The cosine of two vectors of length 1."""
    if len(a) > len(b):
        a, b = b, a
    return sum(value * b[word] for word, value in a.items() if word in b)


def mean(vectors: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean direction of vectors, of length 1; empty for none."""
    total: Counter[str] = Counter()
    for vector in vectors:
        total.update(vector)
    length = math.sqrt(sum(value * value for value in total.values()))
    return {word: value / length for word, value in total.items()} if length else {}
