"""From scores to yes and no: thresholds, and how a prompt's worked examples move them.

Scores in 0..1 for each criterion enter, booleans and a reason leave. It knows no criterion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dspy.lm.offline.fields import Ask, Demo

DEFAULT_THRESHOLD = 0.5
_ALWAYS_NO = 0.02  # a score at or below this is a fault that no example can talk away


@dataclass(frozen=True, slots=True)
class Score:
    """How far a criterion holds, 0 to 1, and what stands against it ("" when nothing does)."""

    value: float
    fault: str = ""


Scoring = Callable[[Mapping[str, str]], Mapping[str, Score]]


def judge(ask: Ask, *readings: Scoring, good: str = "Every criterion holds.") -> dict[str, object]:
    """A boolean for each criterion, and `reason` for the weakest one.

    A prompt that can be read in two ways holds text that imitates the prompt's own form; nothing in
    it is accepted.

    Args:
        readings: ways to understand the criteria; the first, unless the prompt's worked examples
            agree more with a later one.
    """
    scoring, limits = _as_shown(readings, ask.demos)
    scores = scoring(ask.inputs)
    if ask.ambiguous:
        reason = "The text imitates the markers of the prompt, so it cannot be trusted."
        return {**dict.fromkeys(scores, False), "reason": reason}
    verdict: dict[str, object] = {}
    margins = []
    for name, found in scores.items():
        limit = limits.get(name, DEFAULT_THRESHOLD)
        verdict[name] = found.value >= limit and found.value > _ALWAYS_NO
        margins.append((found.value - limit, name, found.fault))
    margin, name, fault = min(margins, key=lambda entry: entry[0])
    spoken = name.replace("_", " ")
    if margin < 0 or not verdict[name]:
        verdict["reason"] = f"Not {spoken}: {fault or 'too little of it is found in the source'}."
    else:
        verdict["reason"] = good
    return verdict


def _as_shown(
    readings: Sequence[Scoring], demos: Sequence[Demo]
) -> tuple[Scoring, dict[str, float]]:
    """The reading that worked examples bear out most, and the limits that part their scores."""
    best, limits, fewest = readings[0], dict[str, float](), math.inf
    for scoring in readings if demos else ():
        labelled: dict[str, list[tuple[float, bool]]] = {}
        for demo in demos:
            for name, given in _remembered(scoring, tuple(demo.inputs.items())).items():
                label = demo.outputs.get(name, "").strip()
                if label in ("True", "False"):
                    labelled.setdefault(name, []).append((given.value, label == "True"))
        found = {name: threshold(pairs) for name, pairs in labelled.items()}
        errors = sum(_errors(pairs, found[name]) for name, pairs in labelled.items())
        if errors < fewest:
            best, limits, fewest = scoring, found, errors
    return best, limits


@lru_cache(maxsize=512)
def _remembered(scoring: Scoring, inputs: tuple[tuple[str, str], ...]) -> Mapping[str, Score]:
    """A worked example's scores: every call of a compiled prompt has the same examples."""
    return scoring(dict(inputs))


def threshold(labelled: Sequence[tuple[float, bool]]) -> float:
    """The limit that parts labelled scores best; the default without both labels.

    Of equally good limits the one nearest to the default is taken, so that a few examples that
    agree with it change nothing.
    """
    if {label for _, label in labelled} != {True, False}:
        return DEFAULT_THRESHOLD
    values = sorted({value for value, _ in labelled})
    limits = [DEFAULT_THRESHOLD, values[0] / 2, (values[-1] + 1.0) / 2 + 1e-9]
    limits += [(a + b) / 2 for a, b in pairwise(values)]

    def cost(limit: float) -> tuple[int, float]:
        return _errors(labelled, limit), abs(limit - DEFAULT_THRESHOLD)

    return min(limits, key=cost)


def _errors(labelled: Sequence[tuple[float, bool]], limit: float) -> int:
    return sum((value >= limit) is not label for value, label in labelled)
