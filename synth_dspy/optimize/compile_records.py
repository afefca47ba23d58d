"""What a compilation is asked to do, and what came of it. Nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dspy

from synth_dspy.optimize.evaluation import Evaluation
from synth_dspy.optimize.gate import Interval
from synth_dspy.optimize.gold import GoldSet
from synth_dspy.optimize.gold_steps import GoldStep
from synth_dspy.optimize.optimizers import Candidate, Optimizer
from synth_dspy.programs.artefact import Artefact

DIGITS = 4
"""Of a score that is written down."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to compile, and with what.

    Attributes:
        model, writer: answer the step, and propose instructions; with their names.
        demos: the most worked examples of a prompt.
        threads: examples asked at a time.
        force: promote whatever the gate says.
        mlflow_run: where it is logged; "" for nowhere.
    """

    step: GoldStep
    gold: GoldSet
    optimizer: Optimizer
    model: dspy.LM
    model_name: str
    writer: dspy.LM
    writer_name: str
    seed: int
    demos: int
    threads: int
    force: bool = False
    mlflow_run: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """The evaluations of one program.

    Attributes:
        validation, heldout: on these splits of gold.
    """

    validation: Evaluation
    heldout: Evaluation

    def rounded(self) -> dict[str, float]:
        """The mean score by split."""
        return {
            "validation": round(self.validation.mean, DIGITS),
            "heldout": round(self.heldout.mean, DIGITS),
        }


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of one step.

    Attributes:
        interval: of the candidate's gain over the prompt as written, on held-out gold.
        against: the same over the program that was in use; None where there was none.
        why: the gate's words. candidates: those the optimizer chose from, with their instructions.
        prompts: the step's messages before and after.
        calls, tokens, cost_usd: that were paid for, whatever came from the store not among them.
    """

    order: Order
    artefact: Artefact
    baseline: Scores
    compiled: Scores
    interval: Interval
    against: Interval | None
    promoted: bool
    why: str
    path: str
    prompts: tuple[str, str]
    candidates: tuple[Candidate, ...]
    calls: int
    tokens: int
    cost_usd: float
    seconds: float

    def summary(self) -> dict[str, Any]:
        """As JSON: `compile --json`, and `summary.json`."""
        return {
            "baseline": round(self.baseline.heldout.mean, DIGITS),
            "compiled": round(self.compiled.heldout.mean, DIGITS),
            "gain": round(self.interval.gain, DIGITS),
            "interval": [round(self.interval.low, DIGITS), round(self.interval.high, DIGITS)],
            "n": self.interval.n,
            "optimizer": self.order.optimizer.name,
            "promoted": self.promoted,
            "why": self.why,
            "validation": [
                round(self.baseline.validation.mean, DIGITS),
                round(self.compiled.validation.mean, DIGITS),
            ],
            "model": self.order.model_name,
            "demos": self.artefact.demos,
            "sha256": self.artefact.sha256,
            "artefact": self.path,
            "gold_sha256": self.order.gold.sha256,
            "candidates": len(self.candidates),
            "llm_calls": self.calls,
            "tokens": self.tokens,
            "cost_usd": round(self.cost_usd, 6),
            "seconds": round(self.seconds, 1),
            "mlflow_run": self.order.mlflow_run,
        }
