"""Judges captions and summaries: samples in words whose question is an order, not a question.

Fields of `JudgeSample` and `JudgeCandidate` enter, scores by criterion leave.
"""

from __future__ import annotations

import re

from synth_dspy.lm.offline import prose, summaries
from synth_dspy.lm.offline.support import Support, support
from synth_dspy.lm.offline.verdicts import Score
from synth_dspy.lm.offline.words import coverage, stem_set

KINDS = ("caption", "summary")
_ASKED = {"one sentence": 1, "2 sentences": 2, "3 sentences": 3, "one or two": 2, "two to four": 4}
_ABOUT = re.compile(r"\b(?:the|this) (?:passage|text|excerpt|author)\b", re.IGNORECASE)


def score(kind: str, question: str, answer: str, passage: str, described: str) -> dict[str, Score]:
    """Scores for correct, grounded and complete; the form is judged with all others'."""
    source = described if kind == "caption" else passage
    found = support(answer, source)
    grounded = _grounded(found)
    correct = grounded
    if found.flipped:
        correct = Score(0.2, "it denies what the source asserts, or asserts what it denies")
    complete = Score(1.0)
    sentences, words = len(prose.split(answer)), len(answer.split())
    most = next((n for asked, n in _ASKED.items() if asked in question[:120]), 99)
    if words < 6:
        complete = Score(0.1, "it says hardly anything")
    elif sentences > most + 1:
        complete = Score(0.3, f"it has {sentences} sentences where {most} were asked for")
    elif kind == "summary" and 2 * words > len(passage.split()):
        complete = Score(0.2, "it is hardly shorter than the text")
    if kind == "summary" and complete.value == 1.0:
        main = summaries.main_words(passage)
        share = len(main & stem_set(answer)) / len(main) if main else 1.0
        complete = Score(min(1.0, 0.25 + share), "it leaves out what the text is mostly about")
    if kind == "summary" and _ABOUT.search(answer):
        correct = Score(0.3, "it speaks of a text instead of saying what it says")
    return {"correct": correct, "grounded": grounded, "complete": complete}


def essential(answer: str, described: str) -> Score:
    """Whether a caption says what the picture shows."""
    return Score(coverage(answer, described), "the picture does not show it")


def score_candidate(kind: str, question: str, passage: str, described: str) -> dict[str, Score]:
    """Scores for answerable, self_contained and specific."""
    if kind == "caption":
        known = Score(1.0 if described.strip() else 0.1, "nobody knows what the picture shows")
        return {"answerable": known, "self_contained": Score(1.0), "specific": Score(1.0)}
    given = question.partition("\n\n")[2]
    whole = Score(1.0 if len(given.split()) >= 40 else 0.2, "the text to sum up is not given")
    from_here = Score(coverage(given, passage), "the text is not the source's")
    return {"answerable": from_here, "self_contained": whole, "specific": Score(1.0)}


def _grounded(found: Support) -> Score:
    if found.numbers or found.names:
        strange = ", ".join(sorted(found.numbers | found.names)[:3])
        return Score(0.1, f"the source does not know {strange}")
    value = 0.5 * found.coverage + 0.5 * found.weakest
    return Score(max(0.03, min(1.0, value - 0.25)), "part of it is not in the source")
