"""Question and answer pairs about a figure, from its description and the code that drew it.

A description enters, pairs leave. A question names the figure by its title or caption and repeats
nothing of what it shows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import figures
from synth_dspy.lm.offline.nouns import as_inside
from synth_dspy.lm.offline.pair import Pair, stands_alone
from synth_dspy.lm.offline.verbs import base, can_be_subject
from synth_dspy.lm.offline.words import coverage

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = re.compile(r'^(?:Its (?:caption|alternative text) reads|Its legend names|The code applies|An? [\w ]+? (?:titled|drawn from) )')  # fmt: skip  # noqa: E501
_VISIBLE = re.compile(
    r"\b(?:line|lines|curve|curves|dots?|points?|bars?|panel|panels|area|branch|branches|arrows?|"
    r"box|boxes|steps?|staircase|column|columns|row|axis|axes|nodes?|edges?|gates?|half|side|"
    r"corner|tail|peak|peaks|markers?|cross|crosses|circles?|triangles?|region|band|stripe)\b"
)
_PART = re.compile(
    r"^(?P<subject>The [^.,;:?!]{3,60}?) (?P<verb>is|are|marks?|shows?|compares?|follows?|"
    r"goes|go|stays?|lies|lie|connects?|joins?|holds?|stands? for|represents?|separates?|crosses) "
    r"(?P<rest>\S.*)$"
)
_SAID_BY_ITS_NAME = 0.8  # share of the alternative text's words: the question would answer itself
_SHOWS = re.compile(
    r"^The (?:figure|plot|chart|diagram|drawing|sketch|picture|graph|histogram|panel)s? "
)


@lru_cache(maxsize=256)
def pairs(description: str, image_code: str = "") -> tuple[Pair, ...]:
    """Every pair about the figure, the most telling first; none when nothing names the figure."""
    figure = figures.subject(description, image_code)
    if not figure:
        return ()
    sentences = [sentence.text for sentence in figures.told(description).sentences]
    told = [s for s in sentences if not _OWN.match(s) and not figures.NUMBERED.match(s)]
    parts = list(_parts(figure, told))
    rows = [*_overview(figure, sentences, told), *parts[:1], *_reasons(figure, told)]
    rows += [*_axes(figure, description), *parts[1:], *_legend(figure, description)]
    return tuple({pair.questions[0].lower(): pair for pair in rows}.values())


def _overview(figure: figures.Subject, sentences: list[str], told: list[str]) -> Iterator[Pair]:
    opening = next(
        (i for i, s in enumerate(told) if _SHOWS.match(s) and stands_alone(s, figure=True)), None
    )
    if opening is not None:
        # What follows may begin with "Its": the figure was named right before.
        answer = " ".join(told[opening : opening + 2])
    elif captioned := [s for s in told[:2] if stands_alone(s, figure=True)]:
        answer = " ".join(captioned)
    else:
        alt = re.search(r'alternative text reads "([^"]{30,})"', " ".join(sentences))
        if not alt or coverage(alt[1], figure.name) > _SAID_BY_ITS_NAME:
            return
        answer = f"The {figure} shows the following: {alt[1].rstrip('.')}."
    yield Pair("figure", str(figure), (f"What does the {figure} show?",), answer)


def _parts(figure: figures.Subject, told: list[str]) -> Iterator[Pair]:
    """`The dashed line is ...` -> In the chart "...", what is the dashed line?"""
    for sentence in told:
        if not stands_alone(sentence, figure=True):
            continue
        for raw in sentence.rstrip(".").split("; "):
            clause = raw[0].upper() + raw[1:]
            found = _PART.match(clause)
            if not found or not _VISIBLE.search(found["subject"]) or _SHOWS.match(clause):
                continue
            subject, verb = found["subject"], found["verb"]
            if not can_be_subject(subject, most=8) or len(found["rest"].split()) < 3:
                continue
            inside = re.sub(r" of the (?:figure|plot|chart|diagram|drawing)$", "",
                            as_inside(subject, clause))  # fmt: skip
            question = _asked(inside, verb, found["rest"])
            if question:
                answer = f"{clause.rstrip('.')}."
                yield Pair("figure", inside, (f"In the {figure}, {question}",), answer)


def _asked(subject: str, verb: str, rest: str) -> str:
    if verb in ("is", "are"):
        if re.match(r"(?:the|a|an)\b", rest):
            return f"what {verb} {subject}?"
        return ""
    first, _, particle = verb.partition(" ")
    plural = singularless(first)
    does, stem = ("do", first) if plural else ("does", base(first))
    if first in ("goes", "go", "stays", "stay", "lies", "lie"):
        return (
            f"where {does} {subject} {stem}?"
            if re.match(r"(?:through|within|above|below|on|in|between)\b", rest)
            else ""
        )
    return f"what {does} {subject} {stem}{' ' + particle if particle else ''}?"


def singularless(verb: str) -> bool:
    """Whether a verb has its plural form."""
    return not verb.endswith("s") or verb in ("cross", "pass")


def _reasons(figure: figures.Subject, told: list[str]) -> Iterator[Pair]:
    """`The last step is drawn in red, because ...` -> In the chart "...", why is ...?"""
    for sentence in told:
        found = re.match(
            r"^(?P<subject>The [^.,;:?!]{3,50}?)(?:, [^,;:]{2,20},)? (?P<verb>is|are) "
            r"(?P<rest>[^;:]{4,80}?),? because (?P<why>.+)\.$",
            sentence,
        )
        if (
            not found
            or not can_be_subject(found["subject"])
            or not stands_alone(sentence, figure=True)
        ):
            continue
        subject = as_inside(found["subject"], sentence)
        question = f"In the {figure}, why {found['verb']} {subject} {found['rest']}?"
        yield Pair("figure", subject, (question,), sentence)


def _axes(figure: figures.Subject, description: str) -> Iterator[Pair]:
    found = re.search(
        r'with "(?P<x>[^"]+)" on the horizontal axis and '
        r'(?P<y>"[^"]+"(?:, "[^"]+")*(?: and "[^"]+")?) '
        r"on the vertical axis", description,
    )  # fmt: skip
    if found:
        answer = (
            f'The horizontal axis of the {figure} is labelled "{found["x"]}", '
            f"the vertical axis {found['y']}."
        )
        question = f"Which quantities are on the axes of the {figure}?"
        yield Pair("figure", "axes", (question,), answer)


def _legend(figure: figures.Subject, description: str) -> Iterator[Pair]:
    found = re.search(r'Its legend names ("[^"]+"(?:, "[^"]+")*(?: and "[^"]+")?)\.', description)
    if found:
        question = f"Which entries are in the legend of the {figure}?"
        answer = f"The entries in the legend of the {figure} are {found[1]}."
        yield Pair("figure", "legend", (question,), answer)
