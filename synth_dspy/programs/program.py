"""A Program: every module of a recipe that asks a model, composed in one `dspy.Module`.

This is what is compiled, saved and loaded as one artefact, and exactly what the stages run. Models
are bound at run time: a program on disk never names an endpoint. It knows no recipe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dspy

from synth_dspy.errors import ConfigError
from synth_dspy.programs.artefact import Artefact, apply_artefact
from synth_dspy.programs.module import Opener, Role, StepModule
from synth_dspy.programs.types import nearest
from synth_dspy.records import digest

_BY_TYPE = "by_type["

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


class Program(dspy.Module):
    """Steps, their models, and the user's instructions; a recipe's own modules are its attributes.

    A predictor's attribute name is its step's name; every step has one predictor.
    """

    def __init__(self) -> None:
        super().__init__()
        self._identities: dict[str, tuple[Any, ...]] = {}
        self._hashes: dict[str, str] = {}  # of the compiled program, by step

    def steps(self) -> dict[str, Role]:
        """Every step there is, in order, and which model it asks."""
        return {
            step: role
            for _, module in self.named_sub_modules(StepModule)
            for step, role in module.own_steps()
        }

    def predictors_of(self, step: str) -> list[dspy.Predict]:
        """The predictors of a step; none for a step that does not exist."""
        return [p for path, p in self.named_predictors() if step_of(path) == step]

    def use_compiled(self, artefacts: Iterable[Artefact]) -> None:
        """Give steps their compiled instructions and worked examples; call it before `bind`.

        Raises:
            ArtefactError: one does not fit the signatures of this version.
        """
        for artefact in artefacts:
            found = {step: self.predictors_of(step) for step in artefact.state}
            apply_artefact(artefact, {step: those for step, those in found.items() if those})
            self._hashes |= dict.fromkeys(artefact.state, artefact.sha256)

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
            module.name_models(models, self._hashes)
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

    def prompt_sha(self, step: str) -> str:
        """Hash of a step's prompt as it is now, whoever is asked."""
        return prompt_sha(self.predictors_of(step)[0])

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

    def _identity(self, path: str, predictor: Any) -> dict[str, Any]:
        step = step_of(path)
        return {
            "step": step,
            "signature": predictor.signature.dump_state(),
            "demos": [dict(demo) for demo in predictor.demos],
            "model": self._identities.get(step, ()),
            **({"program": self._hashes[step]} if step in self._hashes else {}),
        }


def prompt_sha(predictor: dspy.Predict) -> str:
    """Hash of what decides a prompt: instructions, fields and worked examples; 32 hex digits."""
    return digest(predictor.signature.dump_state(), [dict(demo) for demo in predictor.demos])


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
