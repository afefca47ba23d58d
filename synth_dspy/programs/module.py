"""What every module of the Program shares: its steps' models, and the context a chunk gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import dspy

from synth_dspy.records import Candidate, Chunk, Image, Step

Role = Literal["question", "vision", "answer", "curate", "filter"]
"""Which model answers a step."""

Opener = Callable[[Image], "dspy.Image | None"]
"""An image record to the picture that a model is sent; None when there is no file."""

_MARKER = re.compile(r"[ \t]*\[IMAGE:[0-9a-f]+\][ \t]*\n?")
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


class StepModule(dspy.Module):
    """A `dspy.Module` that knows which model answers each of its predictors.

    A predictor's attribute name is its step's name: in `prompts.<step>`, in compiled artefacts, in
    traces and in a sample's provenance.

    Attributes:
        role: which model its steps ask; roles: of the steps that ask another one.
    """

    role: ClassVar[Role] = "question"
    roles: ClassVar[Mapping[str, Role]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._step_models: dict[str, str] = {}
        self._step_programs: dict[str, str] = {}
        self._seeing: frozenset[str] = frozenset()
        self._open_picture: Opener | None = None

    def own_steps(self) -> Iterator[tuple[str, Role]]:
        """Its own predictors' steps, without those of modules within it, and whom they ask."""
        for name, value in vars(self).items():
            if isinstance(value, dspy.Predict):
                yield name, self.roles.get(name, self.role)

    def name_models(self, models: dict[str, str], programs: dict[str, str]) -> None:
        """Tell the module which model and compiled program (hash or "") each step uses."""
        self._step_models = models
        self._step_programs = programs

    def give_sight(self, open_picture: Opener, steps: frozenset[str]) -> None:
        """Let the steps whose model can see be sent pictures."""
        self._open_picture, self._seeing = open_picture, steps

    def step(self, name: str, attempts: int = 1) -> Step:
        """The provenance of one step of a sample."""
        return Step(
            model=self._step_models.get(name, ""),
            program=self._step_programs.get(name, ""),
            attempts=attempts,
        )

    def picture(self, step: str, image: Image | None) -> dspy.Image | None:
        """The picture for a step; None without one, or where the step's model cannot see."""
        if image is None or step not in self._seeing or self._open_picture is None:
            return None
        return self._open_picture(image)

    def context(self, step: str, candidate: Candidate) -> dict[str, Any]:
        """The context fields that every answering signature has, the picture among them."""
        return {
            **context_of(candidate.chunk, candidate.image),
            "image": self.picture(step, candidate.image),
        }


def passage_of(chunk: Chunk) -> str:
    """The chunk's text as a model reads it: without image markers."""
    return _MARKER.sub("", chunk.text).strip()


def prose_of(chunk: Chunk) -> str:
    """The chunk's text without its fenced code."""
    return _FENCED.sub("", passage_of(chunk)).strip()


def context_of(chunk: Chunk, image: Image | None) -> dict[str, str]:
    """What a question is made of, in order of priority: what drew the picture, what it shows, the
    text, and the code before it."""
    return {
        "image_code": image.code if image else "",
        "image_description": image_text(image) if image else "",
        "passage": passage_of(chunk),
        "prior_code": chunk.prior_code,
    }


def asked_of(candidate: Candidate) -> dict[str, Any]:
    """The input fields that every question-writing signature has."""
    task = candidate.task
    return {
        **context_of(candidate.chunk, candidate.image),
        "difficulty": task.difficulty,
        "variant": task.ordinal,
    }


def image_text(image: Image) -> str:
    """What is known of an image in words: its caption or alternative text, and its description."""
    title = image.caption or image.alt
    parts = [part for part in (title, image.description) if part]
    if title and title in image.description:
        parts = [image.description]
    return "\n".join(parts)
