"""The Program of the `assistant` recipe: every module that asks a model, composed in one.

This is what is compiled, saved and loaded as one artefact, and exactly what the stages run. Models
are bound at run time: a program on disk never names an endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dspy

from sandbox import Sandbox
from synth_dspy.errors import ConfigError
from synth_dspy.programs.answers import AnswerWriter, Verification
from synth_dspy.programs.filters import CandidateFilter, ChunkFilter, ImageDescriber, ImageFilter
from synth_dspy.programs.judges import SampleClassifier, SampleJudge
from synth_dspy.programs.module import Opener, Role, StepModule
from synth_dspy.programs.policy import Policy
from synth_dspy.programs.questions import QuestionWriter
from synth_dspy.programs.types import TYPES, Kind, nearest
from synth_dspy.records import digest

__all__ = ["IMAGE_KINDS", "AssistantProgram", "Binding", "Role", "Shown", "step_of"]

_BY_TYPE = "by_type["

IMAGE_KINDS = (
    "circuit", "chart", "bloch_sphere", "formula", "diagram", "table", "code_output", "decorative",
)  # fmt: skip

# `{context}` as a template has it; not LaTeX (`\\frac{a}{b}`), not JSON (`{"a": 1}`).
_PLACEHOLDER = re.compile(r"(?<![\\\w}])\{{1,2}\s*([A-Za-z_]\w*)\s*\}{1,2}")


@dataclass(frozen=True, slots=True)
class Binding:
    """A model as a step uses it.

    Attributes:
        lm: what the predictor asks; None where nothing will be asked (`info`, fingerprints).
        model: its name, for provenance.
        identity: everything that decides its replies (address, name, temperature, ...), no key.
        sees: it can be sent pictures.
    """

    lm: dspy.LM | None
    model: str
    identity: tuple[Any, ...] = ()
    sees: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A step as it will be asked, with the names of its fields where their values will stand."""

    step: str
    role: Role
    instructions: str
    system: str
    user: str


class AssistantProgram(dspy.Module):
    """Describes and filters images, filters chunks, writes and filters questions, answers, judges.

    Args:
        sandbox: where tests and answers run.
        categories: name to description; what finished samples are sorted into.
        types: the question types it can make.
        policy: what no text of a sample may hold.
        refine: whether questions are looked at a second time.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        verification: Verification,
        categories: Mapping[str, str],
        image_kinds: tuple[str, ...] = IMAGE_KINDS,
        types: Sequence[Kind] = TYPES,
        policy: Policy | None = None,
        refine: bool = False,
    ) -> None:
        super().__init__()
        self.image_describer = ImageDescriber(image_kinds)
        self.image_filter = ImageFilter()
        self.chunk_filter = ChunkFilter()
        self.question_writer = QuestionWriter(
            sandbox,
            test_corrections=verification.test_corrections,
            timeout_s=verification.timeout_s,
            types=types,
            policy=policy,
            refine=refine,
        )
        self.candidate_filter = CandidateFilter(types)
        self.answer_writer = AnswerWriter(sandbox, verification, types=types, policy=policy)
        self.judge = SampleJudge(types)
        self.classifier = SampleClassifier(dict(categories))
        self.refines = refine
        self._identities: dict[str, tuple[Any, ...]] = {}

    def steps(self) -> dict[str, Role]:
        """Every step there is, in order, and which model it asks."""
        return {
            step: role
            for _, module in self.named_sub_modules(StepModule)
            for step, role in module.own_steps()
        }

    def bind(
        self,
        bindings: Mapping[Role, Binding],
        prompts: Mapping[str, str],
        open_picture: Opener | None = None,
    ) -> None:
        """Give every predictor its model, and the user's instructions where there are any.

        Raises:
            ConfigError: `prompts` names a step that does not exist, or has template placeholders.
        """
        steps = self.steps()
        self.replace_instructions(prompts)
        models = {step: bindings[role].model for step, role in steps.items()}
        seeing = frozenset(step for step, role in steps.items() if bindings[role].sees)
        for _, module in self.named_sub_modules(StepModule):
            module.name_models(models, {})
            if open_picture is not None:
                module.give_sight(open_picture, seeing)
        for path, predictor in self.named_predictors():
            predictor.lm = bindings[steps[step_of(path)]].lm
        self._identities = {
            step: (*bindings[role].identity, ("sees", step in seeing))
            for step, role in steps.items()
        }

    def replace_instructions(self, prompts: Mapping[str, str]) -> None:
        """Put the user's instructions in place of the signatures' and of compiled ones.

        Raises:
            ConfigError: as `bind`.
        """
        steps = self.steps()
        for name in sorted(set(prompts) - set(steps)):
            raise ConfigError(
                f"prompts.{name}: there is no such step.{nearest(name, steps)} "
                f"Steps are: {', '.join(steps)}."
            )
        for path, predictor in self.named_predictors():
            step = step_of(path)
            if step in prompts:
                _refuse_placeholders(step, prompts[step], predictor.signature)
                name = predictor.signature.__name__
                predictor.signature = predictor.signature.with_instructions(prompts[step])
                predictor.signature.__name__ = name  # what traces call the step

    def shown(self, adapter: Any) -> Iterator[Shown]:
        """Each step as `adapter` (a DSPy chat adapter) formats it, demonstrations included."""
        steps = self.steps()
        for path, predictor in self.named_predictors():
            signature = predictor.signature
            inputs = {name: f"{{{name}}}" for name in signature.input_fields}
            messages = adapter.format(signature, predictor.demos, inputs)
            system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
            user = "\n\n".join(
                m["content"] if m["role"] == "user" else f"(reply)\n{m['content']}"
                for m in messages
                if m["role"] != "system"
            )
            step = step_of(path)
            yield Shown(step, steps[step], signature.instructions, system, user)

    def fingerprint(self, module: StepModule) -> str:
        """Hash of all that decides a module's replies: instructions, fields, demos and models.

        What only one question type is asked is left out: it is in `fingerprints_by_type`.
        """
        return digest(
            [
                self._identity(path, predictor)
                for path, predictor in module.named_predictors()
                if not path.startswith(_BY_TYPE)
            ]
        )

    def fingerprints_by_type(self, module: QuestionWriter | AnswerWriter) -> dict[str, str]:
        """By question type, the hash of what only its own steps are asked; a new type changes
        nothing for the others."""
        return {name: self.fingerprint(inner) for name, inner in module.by_type.items()}

    def _identity(self, path: str, predictor: Any) -> dict[str, Any]:
        step = step_of(path)
        return {
            "step": step,
            "signature": predictor.signature.dump_state(),
            "demos": [dict(demo) for demo in predictor.demos],
            "model": self._identities.get(step, ()),
        }


def step_of(path: str) -> str:
    """The step's name of a predictor's path: its attribute's name."""
    return path.rsplit(".", 1)[-1]


def _refuse_placeholders(step: str, prompt: str, signature: Any) -> None:
    found = _PLACEHOLDER.search(prompt)
    if found is None:
        return
    fields = ", ".join(signature.input_fields)
    raise ConfigError(
        f"prompts.{step}: {found[0]!r} is a placeholder of a template, and nothing is put in its "
        f"place. Take placeholders out: the step is always given the fields {fields}; refer to "
        "them by name."
    )
