"""Judges a row by its words: a label by what is denied or lacking, a score by what is shared.

Fields of `JudgeRow` enter, a score for `acceptable` leaves. Words alone do not tell a paraphrase
from another subject, so its agreement with gold is measured, not assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from synth_dspy.lm.offline.rows_material import dice
from synth_dspy.lm.offline.support import support
from synth_dspy.lm.offline.verdicts import Score
from synth_dspy.lm.offline.words import coverage, negations, numbers, stem_set

_FIELDS = {
    "pair-class": ("premise", "hypothesis", "label"),
    "pair-score": ("sentence1", "sentence2", "score"),
    "pair": ("anchor", "positive"),
    "triplet": ("anchor", "positive", "negative"),
    "qa": ("context", "question", "answer"),
}
_SLACK = 0.25
_ORDERS = re.compile(
    r"\b(?:ignore|disregard)\b.{0,40}\b(?:above|previous|instructions?)\b|\bacceptable\b|\[\[ ?##",
    re.IGNORECASE,
)


def score_row(inputs: Mapping[str, str]) -> dict[str, Score]:
    """A score for `acceptable`."""
    kind, written = inputs.get("format", ""), inputs.get("row", "")
    fields = _read(written, _FIELDS.get(kind, ()))
    judges: dict[str, Callable[[dict[str, str]], Score]] = {
        "pair-class": _label, "pair-score": _similarity, "pair": _pair, "triplet": _triplet,
        "qa": _answer,
    }  # fmt: skip
    if kind not in judges or any(not value.strip() for value in fields.values()):
        return {"acceptable": Score(0.0, "a field is missing or empty")}
    if _ORDERS.search(written):
        return {"acceptable": Score(0.0, "it holds orders to whoever judges it")}
    return {"acceptable": judges[kind](fields)}


def _read(written: str, names: tuple[str, ...]) -> dict[str, str]:
    """The fields of a row, each from its line to the next one's."""
    found = dict.fromkeys(names, "")
    current = ""
    for line in written.split("\n"):
        name, colon, value = line.partition(": ")
        if colon and name in found and not found[name]:
            current, found[name] = name, value
        elif current:
            found[current] += f"\n{line}"
    return found


def _label(row: dict[str, str]) -> Score:
    premise, hypothesis, label = row["premise"], row["hypothesis"], row["label"].strip()
    held = coverage(hypothesis, premise)
    denies = (negations(premise) > 0) != (negations(hypothesis) > 0)
    other_numbers = bool(numbers(hypothesis) - numbers(premise))
    if label == "entailment":
        if denies or other_numbers:
            return Score(0.1, "the hypothesis denies the premise or changes its number")
        return Score(held - 0.1, "the premise does not say all of the hypothesis")
    if label == "contradiction":
        if (denies or other_numbers) and held > 0.4:
            return Score(0.5 + held / 2)
        return Score(0.45, "nothing in it speaks against the premise")
    if label == "neutral":
        if denies and held > 0.7:
            return Score(0.2, "the hypothesis denies the premise")
        return Score(
            1.15 - held if not (other_numbers and held > 0.6) else 0.3, "the premise says so"
        )
    return Score(0.0, "the label is none of the three")


def _similarity(row: dict[str, str]) -> Score:
    try:
        score = float(row["score"])
    except ValueError:
        return Score(0.0, "the score is no number")
    shared = dice(row["sentence1"], row["sentence2"])
    # A paraphrase shares about half of its words, so the words bound a score from both sides.
    least, most = shared - _SLACK, 2 * shared + _SLACK
    margin = min(score - least, most - score)
    fault = "high" if score > most else "low"
    return Score(0.5 + margin, f"by the words that they share the score is too {fault}")


def _pair(row: dict[str, str]) -> Score:
    return _answers(row["anchor"], row["positive"])


def _answers(anchor: str, text: str) -> Score:
    if text.rstrip().endswith("?"):
        return Score(0.1, "the positive is a question, too")
    if stem_set(anchor) == stem_set(text):
        return Score(0.2, "the positive only repeats the anchor")
    wanted = stem_set(anchor) - _ASKING
    shared = len(wanted & stem_set(text)) / len(wanted) if wanted else 1.0
    return Score(0.25 + 0.75 * shared, "the positive shares too little with the anchor")


_ASKING = stem_set("happens mean term defined define work works does can one")


def _triplet(row: dict[str, str]) -> Score:
    anchor, positive, negative = row["anchor"], row["positive"], row["negative"]
    if dice(positive, negative) >= 0.7:
        return Score(0.1, "the negative says what the positive says")
    good, bad = _answers(anchor, positive), _answers(anchor, negative)
    if bad.value > good.value + 0.1:
        return Score(0.3, "the negative answers better than the positive")
    return good


def _answer(row: dict[str, str]) -> Score:
    found = support(row["answer"], row["context"])
    if found.numbers or found.names:
        strange = ", ".join(sorted(found.numbers | found.names)[:3])
        return Score(0.1, f"the context does not say {strange}")
    if found.flipped:
        return Score(0.2, "it denies what the context says")
    return Score(0.6 * found.coverage + 0.4 * found.weakest - 0.1, "the context does not say it")
