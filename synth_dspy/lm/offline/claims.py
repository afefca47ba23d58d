"""What no other wording excuses: counted things, opposites, and what a clause denies.

Sentences enter, contradictions leave. It knows neither questions nor criteria.
"""

from __future__ import annotations

import re
from functools import lru_cache

from synth_dspy.lm.offline.words import negations, numbers, stem, stem_set, word_set

_UNITS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
_COUNTS = {word: str(value) for value, word in enumerate(_UNITS.split(), 2)} | {
    word: str(10 * value) for value, word in enumerate(_TENS.split(), 2)
}
_WRITTEN = re.compile(rf"\b(?:{'|'.join(_COUNTS)})\b")
_TIMES = {"twice": "2", "both": "2", "pair": "2"}
_MEASURED = re.compile(
    # Small letters alone: "the Kestrel Two weighs" counts nothing.
    rf"(?<![\w.:])(\d+(?:[.,]\d+)*|{'|'.join(_COUNTS)}) ([A-Za-z]+)"
)
_NO_UNIT = word_set(
    "or and to at on in from for until of a the is are was by with only extra then can could may "
    "might must shall should will would do does did has have had be been were who that which"
)
_OPPOSITES = tuple(
    tuple(word_set(side) for side in line.split("|"))
    for line in (
        "fast faster fastest quick quickly rapidly|slow slower slowest slowly",
        "more most|less least fewer fewest",
        "high higher highest|low lower lowest",
        "large larger largest big bigger biggest|small smaller smallest",
        "long longer longest|short shorter shortest",
        "early earlier earliest|late later latest",
        "hot hotter hottest warm warmer warmest|cold colder coldest cool cooler coolest",
        "strong stronger strongest|weak weaker weakest",
        "heavy heavier heaviest|light lighter lightest",
        "wet wetter wettest|dry drier driest",
        "increase increases increased increasing|decrease decreases decreased decreasing",
        "rise rises rose rising|fall falls fell falling",
        "first|last",
        "before|after",
        "above over|below under beneath",
        "inside within|outside",
        "maximum|minimum",
        "top upper|bottom",
        "north northern|south southern",
        "east eastern|west western",
        "summer|winter",
        "morning|evening",
        "even|odd",
        "always|never",
        "with|without",
        "left|right",
        "empty|full",
    )
)
# Shares of the words of two clauses' shorter one: they speak of the same; but for one word.
_SAME, _ALIKE = 0.7, 0.6
_ABSENT = re.compile(
    r"\b(?:missing|absent|lacks?|lacking|unless|refuses?d?|fails? to)\b", re.IGNORECASE
)
_WORD = re.compile(r"[a-z]+")
_CLAUSE = re.compile(
    r"[,;:]\s|\s(?=(?:where|when|if|unless|while|because|since|although|but|so|which|who|that|until)\b)"
)


def counts(text: str) -> frozenset[str]:
    """The numbers of a text, in digits or in words from two on; all in digits."""
    return numbers(text) | {_COUNTS[word] for word in _WRITTEN.findall(text)}


def known_counts(text: str) -> frozenset[str]:
    """The same of a source, which says "twice" where a text may say "two times"."""
    low = text.lower()
    return counts(low) | {n for word, n in _TIMES.items() if re.search(rf"\b{word}\b", low)}


def misplaced(text: str, facts: str) -> str:
    """A number that the facts have, of something else: `14 metres` for `14 kilometres`."""
    held: dict[str, set[str]] = {}
    for number, unit in _measured(facts):
        held.setdefault(number, set()).add(unit)
    for number, unit in _measured(text):
        known = held.get(number, set()) - {""}
        if unit and known and unit not in known:
            return f"{number} {unit}"
    return ""


def _measured(text: str) -> list[tuple[str, str]]:
    """Numbers with the stem of the word after each; "" for a word that measures nothing."""
    found = []
    for match in _MEASURED.finditer(text):
        number = _COUNTS.get(match[1]) or next(iter(numbers(match[1])), match[1])
        found.append((number, stem(match[2].lower()) if match[2] not in _NO_UNIT else ""))
    return found


@lru_cache(maxsize=4096)
def _lower(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def contradicts(sentence: str, told: str) -> bool:
    """Whether `sentence` denies what `told` asserts, or the other way round, or says the opposite.

    Clause by clause: a sentence may deny one thing and assert another ("by law where there is no
    will"), and a denial counts only against the clause of the other that speaks of the same.
    """
    theirs = _clauses(told)
    for mine in _clauses(sentence):
        against, share = _most_alike(mine, theirs)
        if share >= _SAME and _denies(mine) != _denies(against):
            return True
        if share >= _ALIKE and _opposed(mine, against):
            return True
    return any(
        _denies(clause) and share >= _SAME and not _denies(mine)
        for clause in theirs
        for mine, share in (_most_alike(clause, _clauses(sentence)),)
    )


def _denies(clause: str) -> bool:
    return negations(clause) > 0 or _ABSENT.search(clause) is not None


def _most_alike(clause: str, others: tuple[str, ...]) -> tuple[str, float]:
    """The clause that shares most with this one, and the share of the shorter one's words."""
    words = stem_set(clause)
    best, most = "", 0.0
    for other in others:
        against = stem_set(other)
        least = min(len(words), len(against))
        share = len(words & against) / least if least >= 2 else 0.0
        if share > most:
            best, most = other, share
    return best, most


def _opposed(clause: str, other: str) -> bool:
    """Whether a word's opposite stands in its place. "Not faster" is no opposite of "slow"."""
    if _denies(clause) or _denies(other):
        return False
    said, known = _lower(clause), _lower(other)
    return any(
        said & mine and not said & against and known & against and not known & mine
        for one, two in _OPPOSITES
        for mine, against in ((one, two), (two, one))
    )


@lru_cache(maxsize=4096)
def _clauses(sentence: str) -> tuple[str, ...]:
    return tuple(part for part in _CLAUSE.split(sentence) if part.strip())
