"""A compiled program made by hand, for tests of what is done with one."""

from __future__ import annotations

from typing import Any

import dspy

from synth_dspy.programs.artefact import Artefact, make_artefact
from synth_dspy.recipes.programs import unbound_program

DEMO = {
    "question": "What is a queue?",
    "answer": "A list that is taken from at its front.",
    "heading": "Containers",
    "categories": ["data: containers", "network: machines that talk"],
    "category": "data",
}


def classify_artefact(instructions: str = "Choose well.", **meta: Any) -> Artefact:
    """The classifier with other instructions and one worked example."""
    (predictor,) = unbound_program("assistant").predictors_of("classify_sample")
    predictor.signature = predictor.signature.with_instructions(instructions)
    predictor.demos = [dspy.Example(**DEMO)]
    about = {"recipe": "assistant", "step": "classify", "optimizer": "labeled", "model": "offline"}
    figures = {
        "baseline": {"heldout": 0.5}, "compiled": {"heldout": 0.75}, "interval": [0.1, 0.4],
        "n": 100, "passed_gate": True, "why": "it gains", "date": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    return make_artefact(
        "AssistantProgram", {"classify_sample": predictor}, {**about, **figures, **meta}
    )
