"""A step on gold: every example asked once, scored, in gold's order.

A subject and examples enter, scores, feedback and labels leave. Whatever model `dspy.settings.lm`
names is asked, as many examples at a time as the caller says.
"""

from __future__ import annotations

import contextvars
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import dspy

from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.optimize.metrics import Score, truth
from synth_dspy.optimize.metrics_whole import ClassScore, agreement, class_scores, macro_f1
from synth_dspy.optimize.scoring import Scorer
from synth_dspy.optimize.subject import Subject


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of the examples, in their order.

    Attributes:
        wanted, said: labels of gold and of the step (`accept` and `reject` for a judge); empty
            where a step is not scored by label.
    """

    scores: tuple[Score, ...]
    wanted: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def values(self) -> list[float]:
        """The scores, each 0 to 1."""
        return [score.value for score in self.scores]

    @property
    def mean(self) -> float:
        """Their mean; 0 without any."""
        return sum(self.values) / len(self.scores) if self.scores else 0.0

    def classes(self) -> list[ClassScore]:
        """Precision, recall and F1 of each label; none where there are no labels."""
        return class_scores(self.wanted, self.said)

    def figures(self) -> dict[str, float]:
        """The mean score and, with labels, macro-F1, agreement and Cohen's kappa."""
        found = {"score": self.mean}
        if self.wanted:
            both = agreement(self.wanted, self.said)
            found |= {
                "macro_f1": macro_f1(self.wanted, self.said),
                "agreement": both.agreement,
                "kappa": both.kappa,
            }
        return found


def evaluate(
    subject: Subject,
    examples: Sequence[dspy.Example],
    scorer: Scorer,
    step: GoldStep,
    *,
    threads: int,
) -> Evaluation:
    """Ask and score every example.

    Raises:
        SynthError: what ends every call (no endpoint, no money); see `Subject`.
    """

    def one(example: dspy.Example) -> tuple[Score, dspy.Prediction]:
        prediction = subject(**example.inputs())
        return scorer(example, prediction), prediction

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        # DSPy's settings and the meters live in context variables, which threads do not inherit.
        futures = [pool.submit(contextvars.copy_context().run, one, e) for e in examples]
        done = [future.result() for future in futures]
    scores = tuple(score for score, _ in done)
    if step.scoring not in ("category", "verdict"):
        return Evaluation(scores)
    return Evaluation(
        scores,
        tuple(_label(step, example, example) for example in examples),
        tuple(
            _label(step, prediction, e) for (_, prediction), e in zip(done, examples, strict=True)
        ),
    )


def _label(step: GoldStep, fields: Any, example: dspy.Example) -> str:
    """The one label of gold or of a reply."""
    if step.scoring == "verdict":
        accepted = all(truth(fields.get(name, "")) is True for name in step.criteria)
        return "accept" if accepted else "reject"
    said = str(fields.get("category", "")).partition(":")[0]
    known: list[str] = [line.partition(":")[0].strip() for line in example.categories]
    names = {_plain(name): name for name in known}
    return names.get(_plain(said), "(none)")


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
