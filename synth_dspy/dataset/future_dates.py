"""Dates in a text that lie after a given day: in digits, written out, or relative.

A text and a day enter, the first such mention leaves. A length of time ("within 30 days", "next-day
delivery") is no date, and a day without its year may be any year's, so neither counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from synth_dspy.dataset.number_words import TENS, UNITS, words

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}

_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})\.?"
_YEAR = r"(?P<year>(?:19|20|21)\d\d)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TEN = "|".join(TENS)
_UNIT = "|".join(UNITS[1:])
_WRITTEN_YEAR = re.compile(
    rf"\b(?:(?P<century>nineteen|twenty|twenty[ -]one) (?P<tens>{_TEN})(?:[ -](?P<unit>{_UNIT}))?|"
    rf"twenty (?P<teen>{'|'.join(UNITS[10:])})|"
    rf"two thousand(?: and)?(?: (?P<t2>{_TEN}))?(?:[ -](?P<u2>{'|'.join(UNITS[1:])}))?)\b"
    r"(?! (?:euros?|dollars?|pounds?|pieces|litres|liters|grams|kilograms|hours|watts|people|"
    r"customers|items|square|metres|meters|kilometres|points|times|days|years))",
    re.IGNORECASE,
)
_BARE_YEAR = (
    r"(?<![\d.,/-])(?P<year>20\d\d|21\d\d)(?![\d/-]|[.,]\d)"
    r"(?! ?(?:euros?|eur|€|dollars?|\$|pounds?|£|pieces|ml|litres?|liters?|g|grams|kg|mah|mm|"
    r"cm|metres?|meters?|km|watts?|w|hours?|steps|lumens?|rpm|kelvin|k|people|customers|items|"
    r"points|times|days|square|calories|kcal|pages|products|hz|mhz|dpi|pixels)\b)"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"\b(?P<year>(?:19|20|21)\d\d)[-/.](?P<number>\d{1,2})[-/.](?P<day>\d{1,2})\b",
        r"\b(?P<day>\d{1,2})[-/.](?P<number>\d{1,2})[-/.](?P<year>(?:19|20|21)\d\d)\b",
        rf"\b{_DAY}(?: of)? {_MONTH},? {_YEAR}\b",
        rf"\b{_MONTH} (?:the )?{_DAY},? {_YEAR}\b",
        rf"\b{_MONTH},?(?: of)? {_YEAR}\b",
        rf"\bq(?P<quarter>[1-4])[ /-]?{_YEAR}\b|\b{_YEAR}[ /-]?q(?P<quarter2>[1-4])\b"
        .replace("(?P<year>", "(?P<y1>", 1).replace("(?P<year>", "(?P<y2>", 1),
        rf"\b(?P<season>{'|'.join(_SEASONS)})(?: of)? {_YEAR}\b",
        _BARE_YEAR,
    )
)  # fmt: skip
_RELATIVE = re.compile(
    r"\btomorrow\b(?!['\u2019]s)|"
    r"\bnext (?:week|month|year|quarter|spring|summer|autumn|fall|winter|monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|season)\b|"
    r"\b(?:the )?coming (?:weeks?|months?|years?|summer|winter|spring|autumn)\b|"
    r"\blater this (?:week|month|year|summer|winter|spring|autumn)\b|"
    r"\b(?:\d+|an?|\w+) (?:days?|weeks?|months?|years?) from (?:now|today)\b|"
    r"\b(?:launch|open|start|begin|release|introduce|arrive on the market|close down|shut down|"
    r"relocate|move)\w* in (?:about )?(?:\d+|an?|one|two|three|four|five|six|several|a few) "
    r"(?:weeks?|months?|years?)\b|"
    r"\bcoming soon\b|\bin the (?:near|distant) future\b",
    re.IGNORECASE,
)


def future_date(text: str, today: date) -> str:
    """The first mention of a day, month, season or year after `today`, as it stands; "" if none.

    A month, season or year that has begun is not after it.
    """
    found = [
        (at, said) for at, said, first in _mentions(_in_digits(text)) if first and first > today
    ]
    if relative := _RELATIVE.search(text):
        found.append((relative.start(), relative[0]))
    return min(found)[1] if found else ""


def _in_digits(text: str) -> str:
    """Written-out years and ordinal days in digits: `the first of March twenty thirty`."""

    def year(found: re.Match[str]) -> str:
        if found["century"]:
            century = {"nineteen": 1900, "twenty": 2000}.get(found["century"].lower(), 2100)
            return str(century + TENS[found["tens"].lower()] + _unit(found["unit"]))
        if found["teen"]:
            return str(2000 + _unit(found["teen"]))
        tens, unit = found["t2"], found["u2"]
        if not tens and not unit:
            return found[0]
        return str(2000 + (TENS[tens.lower()] if tens else 0) + _unit(unit))

    def day(found: re.Match[str]) -> str:
        return str(_ORDINALS[found[0].lower().replace(" ", "-")])

    return _ORDINAL.sub(day, _WRITTEN_YEAR.sub(year, text))


def _unit(word: str | None) -> int:
    return UNITS.index(word.lower()) if word else 0


_ORDINALS = {
    name: number
    for number, name in enumerate(
        words(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
            "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
            "twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth "
            "twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
        ),
        1,
    )
}
_ANY_ORDINAL = "|".join(sorted((o.replace("-", "[- ]") for o in _ORDINALS), key=len, reverse=True))
# Longest first, and beside a month only: "the second half" is no day.
_ORDINAL = re.compile(
    rf"\b(?:{_ANY_ORDINAL})"
    rf"\b(?= (?:of )?(?:{'|'.join(_MONTHS)})\b)|"
    rf"(?:(?<=may the )|(?<=june the )|(?<=july the )|(?<=march the )|(?<=april the )|"
    rf"(?<=august the )|(?<=october the )|(?<=january the )|(?<=february the )|"
    rf"(?<=november the )|(?<=december the )|(?<=september the ))"
    rf"(?:{_ANY_ORDINAL})\b",
    re.IGNORECASE,
)


def _mentions(text: str) -> Iterator[tuple[int, str, date | None]]:
    """Place, words and first day of every date; spans within a longer one are left out."""
    taken: list[tuple[int, int]] = []
    for form in _FORMS:
        for found in form.finditer(text):
            if any(start < found.end() and found.start() < end for start, end in taken):
                continue
            taken.append(found.span())
            yield found.start(), found[0], _first_day(found.groupdict())


def _first_day(parts: dict[str, str | None]) -> date | None:
    year = int(next(filter(None, (parts.get(k) for k in ("year", "y1", "y2"))), "0"))
    quarter = parts.get("quarter") or parts.get("quarter2")
    day = int(parts.get("day") or 1)
    if quarter:
        month = 3 * int(quarter) - 2
    elif season := parts.get("season"):
        month = _SEASONS[season.lower()]
    elif named := parts.get("month"):
        month = _MONTHS[named.lower()]
    else:
        month = int(parts.get("number") or 1)
        if month > 12:  # 12/31/2030: the month came first
            month, day = day, month
    try:
        return date(year, month, 1) + timedelta(days=day - 1)
    except ValueError:
        return None
