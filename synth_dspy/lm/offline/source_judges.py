"""Judges what a source offers: whether a passage teaches, whether a picture informs.

Fields of `JudgeChunk` and `JudgeImage` enter, scores by criterion leave. Texts are counted and
compared, never obeyed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import figures, pair, prose
from synth_dspy.lm.offline.module import module
from synth_dspy.lm.offline.snippets import fences
from synth_dspy.lm.offline.verdicts import Score
from synth_dspy.lm.offline.words import stem_set, stems

if TYPE_CHECKING:
    from collections.abc import Mapping

_LICENCE = re.compile(
    r"\b(?:all rights reserved|licen[cs]ed under|without warrant|permission is hereby granted|"
    r"copyright (?:\(c\)|©|\d{4})|as is\" basis|redistribution and use|apache license)",
    re.IGNORECASE,
)  # fmt: skip
_INSTALL = re.compile(
    r"Requirement already satisfied|Successfully installed \S+-\d|^Collecting \S+$|"
    r"^Installing collected packages|Building wheel|^npm (?:WARN|ERR)",
    re.MULTILINE,
)
_LEADS_ON = re.compile(
    r"^(?:next steps?|table of contents|contents|references|bibliography|further reading|"
    r"acknowledge?ments?|changelog|licen[cs]e|installation|see also|tutorial survey|resources|"
    r"learn more|requirements|prerequisites|index)\b", re.IGNORECASE,
)  # fmt: skip
_EMPTY = re.compile(
    r"\b(?:empty (?:plot|axes|figure|chart)|blank|nothing is drawn|no data)\b", re.IGNORECASE
)
_BOILERPLATE = stem_set(
    "chart diagram circuit figure picture image titled horizontal vertical axis caption reads "
    "alternative text legend names drawn decorative output code previous cell described"
)


def score_chunk(inputs: Mapping[str, str]) -> dict[str, Score]:
    """Scores for teaches and understandable."""
    passage, heading = inputs.get("passage", ""), inputs.get("heading", "")
    text = prose.read(passage)
    whole = [
        s.text
        for s in text.sentences
        if s.text.endswith((".", "!", ":", "?")) and len(s.text.split()) >= 6
    ]
    code = module(passage)
    functions = [d for d in code.names.values() if d.kind in ("function", "class")]
    documented = sum(bool(re.search(r'"""|\'\'\'', d.source)) for d in functions)
    explained = sum(len(s.split()) for s in whole)
    teaches = min(1.0, explained / 80 + 0.35 * documented + 0.1 * (len(code.statements) > 2))
    fault = "hardly a sentence in it explains anything"
    links = len(re.findall(r"\]\(|https?://", passage))
    lines = [line for line in passage.split("\n") if line.strip()]
    listed = [line for line in lines if re.match(r"\s*(?:[-*+]|\d+\.)\s*\[[^\]]*\]\([^)]*\)", line)]
    licences = sum(bool(_LICENCE.search(sentence.text)) for sentence in text.sentences)
    if licences and 3 * licences >= len(text.sentences) and not functions:
        teaches, fault = 0.1, "it is a licence"
    elif _INSTALL.search(passage):
        teaches, fault = 0.1, "it is the log of an installation"
    elif lines and (len(listed) / len(lines) > 0.4 or links > 2 * max(1, len(whole))):
        teaches, fault = 0.15, "it is a list of links"
    elif _LEADS_ON.match(heading.rpartition(" > ")[2]) and not functions:
        teaches, fault = (
            min(teaches, 0.3),
            f"it stands under the heading {heading.rpartition(' > ')[2]!r}",
        )
    elif _noise(passage) > 0.5:
        teaches, fault = 0.1, "most of it is no language"
    return {
        "teaches": Score(teaches, fault),
        "understandable": _understandable(passage, text, documented),
    }


def _noise(passage: str) -> float:
    """The share of characters in words too long for any language."""
    bare = "".join(passage.split())
    return sum(len(w) for w in passage.split() if len(w) > 60) / len(bare) if bare else 1.0


def _understandable(passage: str, text: prose.Prose, documented: int) -> Score:
    first = text.sentences[0].text if text.sentences else ""
    opening = passage.lstrip()[:1]
    words = len(stems(" ".join(s.text for s in text.sentences)))
    if documented and words < 12:
        return Score(0.7)  # a docstring says what its function does
    if words < 12 and not (fences(passage) and text.sentences):
        return Score(0.2, "there is too little of it")
    if opening.islower() and first[:1].islower():
        return Score(0.3, "it begins in mid-sentence")
    alone = [s for s in text.sentences if pair.is_whole(s.text)]
    share = len(alone) / max(1, len(text.sentences))
    dangling = bool(re.match(r"(?:It|They|This|These|Those|That|He|She)\b", first))
    return Score(min(1.0, 0.45 + share - 0.2 * dangling), "most of its sentences lean on others")


def score_image(inputs: Mapping[str, str]) -> dict[str, Score]:
    """Score for informative."""
    kind = inputs.get("kind", "")
    said = " ".join(inputs.get(name, "") for name in ("description", "alt_text", "caption"))
    said = said.replace(figures.NOT_SEEN, "")
    if kind == "decorative":
        return {"informative": Score(0.05, "it is decoration")}
    if _EMPTY.search(said):
        return {"informative": Score(0.2, "nothing is drawn in it")}
    words = stem_set(said) - _BOILERPLATE
    return {"informative": Score(min(1.0, len(words) / 12), "hardly anything is known of it")}
