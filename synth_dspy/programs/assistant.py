"""The Program of the `assistant` recipe: every module that asks a model, composed in one.

This is what is compiled, saved and loaded as one artefact, and exactly what the stages run. Models
are bound at run time: a program on disk never names an endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import dspy

from sandbox import Sandbox
from synth_dspy.errors import ConfigError
from synth_dspy.programs.answers import AnswerWriter, Verification
from synth_dspy.programs.filters import CandidateFilter, ChunkFilter, ImageDescriber, ImageFilter
from synth_dspy.programs.judges import SampleClassifier, SampleJudge
from synth_dspy.programs.module import StepModule
from synth_dspy.programs.questions import QuestionWriter
from synth_dspy.records import digest

Role = Literal["question", "vision", "answer", "curate", "filter"]

IMAGE_KINDS = (
    "circuit", "chart", "bloch_sphere", "formula", "diagram", "table", "code_output", "decorative",
)  # fmt: skip

ROLES: dict[str, Role] = {
    "describe_image": "vision",
    "judge_image": "filter",
    "judge_chunk": "filter",
    "write_stub": "question",
    "write_task": "question",
    "write_question": "question",
    "write_test": "question",
    "repair_test": "question",
    "judge_candidate": "filter",
    "complete_function": "answer",
    "write_program": "answer",
    "answer_question": "answer",
    "repair_code": "answer",
    "strengthen_test": "question",
    "judge_sample": "curate",
    "classify_sample": "curate",
}
"""Which model answers which step; the keys are all the steps there are."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A model as a step uses it.

    Attributes:
        lm: what the predictor asks; None where nothing will be asked (`info`, fingerprints).
        model: its name, for provenance.
        identity: everything that decides its replies (address, name, temperature, ...), no key.
    """

    lm: dspy.LM | None
    model: str
    identity: tuple[Any, ...] = ()


class AssistantProgram(dspy.Module):
    """Describes and filters images, filters chunks, writes and filters questions, answers, judges.

    Args:
        sandbox: where tests and answers run.
        categories: name to description; what finished samples are sorted into.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        verification: Verification,
        categories: Mapping[str, str],
        image_kinds: tuple[str, ...] = IMAGE_KINDS,
    ) -> None:
        super().__init__()
        self.image_describer = ImageDescriber(image_kinds)
        self.image_filter = ImageFilter()
        self.chunk_filter = ChunkFilter()
        self.question_writer = QuestionWriter(
            sandbox,
            test_corrections=verification.test_corrections,
            timeout_s=verification.timeout_s,
        )
        self.candidate_filter = CandidateFilter()
        self.answer_writer = AnswerWriter(sandbox, verification)
        self.judge = SampleJudge()
        self.classifier = SampleClassifier(dict(categories))

    def bind(self, bindings: Mapping[Role, Binding], prompts: Mapping[str, str]) -> None:
        """Give every predictor its model, and the user's instructions where there are any.

        Raises:
            ConfigError: `prompts` names a step that does not exist.
        """
        unknown = sorted(set(prompts) - set(ROLES))
        if unknown:
            raise ConfigError(
                f"prompts.{unknown[0]}: there is no such step. Steps are: {', '.join(ROLES)}."
            )
        models = {step: bindings[role].model for step, role in ROLES.items()}
        for _, module in self.named_sub_modules(StepModule):
            module.name_models(models, {})
        for path, predictor in self.named_predictors():
            step = step_of(path)
            predictor.lm = bindings[ROLES[step]].lm
            if step in prompts:
                predictor.signature = predictor.signature.with_instructions(prompts[step])
        self._identities = {step: bindings[role].identity for step, role in ROLES.items()}

    def fingerprint(self, module: StepModule) -> str:
        """Hash of all that decides a module's replies: instructions, fields, demos and models."""
        parts = []
        for path, predictor in module.named_predictors():
            step = step_of(path)
            parts.append(
                {
                    "step": step,
                    "signature": predictor.signature.dump_state(),
                    "demos": [dict(demo) for demo in predictor.demos],
                    "model": self._identities[step],
                }
            )
        return digest(parts)


def step_of(path: str) -> str:
    """The step's name of a predictor's path: its attribute's name."""
    return path.rsplit(".", 1)[-1]


def instructions_of(program: AssistantProgram) -> dict[str, str]:
    """What each step says to its model, by step."""
    return {step_of(path): p.signature.instructions for path, p in program.named_predictors()}
