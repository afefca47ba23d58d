"""A question with its answer, and what makes a sentence fit to be one.

Sentences of a passage enter; whether they stand alone leaves, and how pairs of several kinds are
mixed. It makes no question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.words import word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dspy.lm.offline.prose import Prose, Sentence


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with its answer.

    Attributes:
        kind: definition, reason, condition, relation, function, result, figure.
        questions: the same question in other words; the first is the plainest.
    """

    kind: str
    subject: str
    questions: tuple[str, ...]
    answer: str


_DEICTIC = re.compile(
    # "below the lowest water" is no pointer, "the code below" is one.
    r"\b(?:above|below)(?=\s*(?:[.,;:!?)]|$))|\bthe (?:above|below|following)\b|\bas follows\b|"
    r"\b(?:codes?|cells?|examples?|tables?|drawing|circuits?|functions?|snippets?|outputs?|equations?|"
    r"described|shown|mentioned|given|listed|defined|discussed|explained|seen) (?:above|below)\b|"
    r"\b(?:previously|later on|so far|here|shown in|let us|click|sign in|log in)\b|let['\u2019]s\b|"
    r"\bearlier\b(?! than)|"
    r"\b(?:next|last|previous) (?:sections?|chapters?|cells?|steps?|lessons?)\b|"
    r"\b(?:this|these|our) (?:\w+ )?(?:notebook|page|section|tutorial|chapter|guide|lesson|course|"
    r"module|document|example|article|paper|post|handbook|cell|code|exercise|book|case|table|"
    r"figure|unit|lecture)\b|\b(?:as|we) (?:shown|seen|saw)\b|\bfigures?\b|\bsee (?:also|the)\b|"
    r"\b(?:[Ww]e|[Oo]urs?|[Uu]s|I|[Mm]y|[Yy]ou|[Yy]our|[Yy]ours)\b|\[IMAGE|\bFigure \d",
)
# What is said of a figure may call it so, but not lead up to it or to what follows it.
_POINTING = re.compile(
    r"\b(?:below|above)(?=\s*(?:[.,;:!?)]|for\b|$))|\b[Tt]he (?:above|below|following)\b|"
    r"\bas follows\b|\b(?:as|if) (?:we|you|the (?:figure|picture|image|diagram))\b|"
    r"\b[Tt]o see (?:why|how|this|that)\b|\b(?:consider|recall|let us|see) (?:the|this|also)\b|"
    r"\blet['\u2019]s\b|\b(?:[Ww]e|[Oo]ur|[Uu]s|I|[Mm]y|[Yy]ou|[Yy]our)\b",
)
_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:above|previous|prior|instructions?|everything)\b|"
    r"\b(?:answer|reply|respond|output|say)\b.{0,15}\b(?:true|pass|yes)\b|\[\[ ##|system prompt",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"^(?:It|Its|This|That|These|Those|They|Their|He|She|His|Her|Such|Here|There|Then|So|But|And|"
    r"Or|However|Therefore|Thus|Hence|Also|Both|Either|Neither|Another|Others?|Again|Instead|"
    r"Otherwise|Which|Nor|Yet|Moreover|Furthermore|Similarly|Likewise|Conversely|Finally|First|"
    r"Second|Third|Next|Now|Note|Rather|Still|Consequently|As a result|In (?:this|that|these|"
    r"addition|contrast|turn|other words|particular|fact|both|each|such)|For (?:example|instance|"
    r"this|that|these)|On the (?:other|one) hand|At (?:this|that)|With (?:this|that|these)|After "
    r"(?:this|that)|The (?:former|latter|same|other|others|first|second|third|last|next|two|three|"
    r"result|results|rest|above|reason|difference|idea|answer|question|point|trick|problem|goal|"
    r"aim|purpose|task|solution))\b"
)
_CONTINUES = re.compile(r"^(?:It|Its|They|Their|Such an?)\b(?! (?:is|was) (?:because|why))")
VAGUE_HEADS = word_set(
    """
    choice idea example way reason question answer problem result thing point step goal aim
    purpose case difference advantage disadvantage benefit drawback task challenge solution
    trick fact issue key topic part side kind sort type number method approach option rule
    word name value lesson exercise section figure table drawing picture plot chart order
    mistake story topic focus cause effect consequence conclusion time place people person
    someone
    """
)


def mixed(rows: Sequence[Sequence[Pair]]) -> tuple[Pair, ...]:
    """One of each row in turn; a question that was already taken is left out."""
    found: dict[str, Pair] = {}
    for depth in range(max(map(len, rows), default=0)):
        for row in rows:
            if depth < len(row):
                found.setdefault(row[depth].questions[0].lower(), row[depth])
    return tuple(found.values())


def is_whole(text: str) -> bool:
    """Whether a text is one sentence, to its end, that begins with no word for another's thing."""
    if not re.match(r"[A-Z`\d$\"“]", text) or not re.search(r"[.!]['\"”)]?$", text):
        return False
    words = text.split()
    if not 4 <= len(words) <= 70 or _INJECTION.search(text) or _DANGLING.match(text):
        return False
    if text.count("(") != text.count(")") or text.count("`") % 2 or text.count('"') % 2:
        return False
    return not re.search(
        r"\]\(|\*\*|</|/>|[{}]|\[\[|^\||^#|https?://|\$\$", re.sub(r"`[^`]*`|\$[^$]*\$", "", text)
    )


def stands_alone(text: str, *, figure: bool = False) -> bool:
    """Whether a sentence is whole and understandable with nothing before it.

    Args:
        figure: it is told with a figure at hand, and may speak of it.
    """
    pointing = _POINTING if figure else _DEICTIC
    return is_whole(text) and not pointing.search(re.sub(r"`[^`]*`", "", text))


def answer_from(text: Prose, sentence: Sentence, *, most: int = 2) -> str:
    """A sentence, with the next one where that goes on about it."""
    parts = [sentence.text]
    following = text.after(sentence)
    while following and len(parts) < most and _CONTINUES.match(following.text):
        if _DEICTIC.search(following.text) or not following.text.endswith("."):
            break
        parts.append(following.text)
        following = text.after(following)
    return " ".join(parts)
