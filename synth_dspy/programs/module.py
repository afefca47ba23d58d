"""What every module of the Program shares: its steps' models, and the context a chunk gives."""

from __future__ import annotations

import re

import dspy

from synth_dspy.records import Chunk, Image, Step

_MARKER = re.compile(r"[ \t]*\[IMAGE:[0-9a-f]+\][ \t]*\n?")


class StepModule(dspy.Module):
    """A `dspy.Module` that knows which model answers each of its predictors.

    A predictor's attribute name is its step's name: in `prompts.<step>`, in compiled artefacts, in
    traces and in a sample's provenance.
    """

    def __init__(self) -> None:
        super().__init__()
        self._step_models: dict[str, str] = {}
        self._step_programs: dict[str, str] = {}

    def name_models(self, models: dict[str, str], programs: dict[str, str]) -> None:
        """Tell the module which model and compiled program (hash or "") each step uses."""
        self._step_models = models
        self._step_programs = programs

    def step(self, name: str, attempts: int = 1) -> Step:
        """The provenance of one step of a sample."""
        return Step(
            model=self._step_models.get(name, ""),
            program=self._step_programs.get(name, ""),
            attempts=attempts,
        )


def passage_of(chunk: Chunk) -> str:
    """The chunk's text as a model reads it: without image markers."""
    return _MARKER.sub("", chunk.text).strip()


def context_of(chunk: Chunk, image: Image | None) -> dict[str, str]:
    """The context fields that every question and answer signature has, for one task."""
    return {
        "passage": passage_of(chunk),
        "prior_code": chunk.prior_code,
        "image_code": image.code if image else "",
        "image_description": image_text(image) if image else "",
    }


def image_text(image: Image) -> str:
    """What is known of an image in words: its caption or alternative text, and its description."""
    title = image.caption or image.alt
    parts = [part for part in (title, image.description) if part]
    if title and title in image.description:
        parts = [image.description]
    return "\n".join(parts)
