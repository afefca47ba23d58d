"""What an answer says that its source does not: numbers, dates and names, by rule.

Two texts enter, the unsupported tokens leave. It judges no meaning: that a number stands in the
source does not make it the right one. The judge looks at that.
"""

from __future__ import annotations

import re
import unicodedata

from synth_dspy.dataset.number_words import TENS, UNITS, words

_NUMBER = re.compile(r"\d+(?:[.,:\u2019' ]\d{3})*(?:[.,:]\d+)?")
# "one" is a pronoun more often than a number, and "second" a unit of time.
_NUMBER_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(TENS)})(?:[- ](?P<unit>{'|'.join(UNITS[1:10])}))?|"
    rf"(?P<small>{'|'.join(UNITS[2:])}|twice|hundred|thousand|dozen))\b",
    re.IGNORECASE,
)
_OTHER = {"twice": "2", "hundred": "100", "thousand": "1000", "dozen": "12"}
_WORD = re.compile(r"[^\W\d_][\w&'\u2019-]*[^\W_]|[^\W\d_]")
_OPENS = re.compile(r"(?:^|[.!?:;]['\"”\u2019)]*\s+|[\"“(\[*]|\n\s*|[-\u2013\u2014•]\s)$")
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|\bwww\.)\S*[^\s.,;:!?)]", re.IGNORECASE
)
_ALWAYS = frozenset({"i", "i'm", "i'll", "i've", "i'd", "ok"})
_CALENDAR = frozenset(
    words(
        "january february march april june july august september october november december monday "
        "tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays "
        "fridays saturdays sundays"
    )
)


def ungrounded(text: str, source: str) -> list[str]:
    """Numbers, days, months, addresses and names of `text` that `source` does not hold, in order,
    each once.

    A number is compared by value, in digits or in words up to ninety-nine. A name is a word with a
    capital that does not open a sentence; it is supported by the same word in any case, and without
    a possessive.
    """
    text, source = _plain(text), _plain(source)
    known_numbers, known_words = _numbers(source), {_bare(w) for w in _WORD.findall(source)}
    known_words |= {part for word in known_words for part in word.split("-")}
    found: dict[str, int] = {}
    for match in _ADDRESS.finditer(text):
        if match[0].lower() not in source.lower():
            found.setdefault(match[0], match.start())
    text = _ADDRESS.sub(lambda m: " " * len(m[0]), text)
    for value, said, at in _valued(text):
        if value not in known_numbers:
            found.setdefault(said, at)
    for match in _WORD.finditer(text):
        word = match[0]
        bare = _bare(word)
        named = (
            any(c.isupper() for c in word[1:])
            or bare in _CALENDAR
            or (
                word[0].isupper()
                and not _OPENS.search(text[max(0, match.start() - 8) : match.start()])
            )
        )
        if not named or bare in _ALWAYS or bare in known_words:
            continue
        if not all(part in known_words for part in bare.split("-")):
            found.setdefault(word, match.start())
    return sorted(found, key=lambda said: found[said])


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u2019", "'")


def _bare(word: str) -> str:
    lower = word.lower().removesuffix("'s").rstrip("'")
    # "DVDs" of a "DVD", "Mondays" of a "Monday"
    return (
        lower[:-1] if len(lower) > 3 and lower.endswith("s") and not lower.endswith("ss") else lower
    )


def _numbers(text: str) -> set[str]:
    return {value for value, _, _ in _valued(text)}


def _valued(text: str) -> list[tuple[str, str, int]]:
    """Value in one spelling, the words as they stand, and their place."""
    found = [(_value(m[0]), m[0], m.start()) for m in _NUMBER.finditer(text)]
    for match in _NUMBER_WORD.finditer(text):
        if match["tens"]:
            value = TENS[match["tens"].lower()]
            unit = match["unit"]
            value += UNITS.index(unit.lower()) if unit else 0
            found.append((str(value), match[0], match.start()))
        else:
            word = match["small"].lower()
            found.append((_OTHER.get(word) or str(UNITS.index(word)), match[0], match.start()))
    return found


def _value(number: str) -> str:
    """`1,000` and `1 000` are 1000; `4.90` and `4,90` are 4.9; `18:00` stays what it is."""
    if ":" in number:
        hours, _, minutes = number.partition(":")
        return f"{int(hours) if hours.isdigit() else hours}:{minutes}"
    plain = re.sub(r"[ ',](?=\d{3}(?:\D|$))", "", number)
    plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return plain
    return str(int(value)) if value.is_integer() else repr(value)
