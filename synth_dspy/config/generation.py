"""The `generation` section: how many samples of what kind, from what chunks, checked how.

The names are those that users of earlier systems know. Nothing here knows what a stage does with
them.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from synth_dspy.config.base import (
    Number,
    OptionalNumber,
    OptionalText,
    OptionalWhole,
    Section,
    Whole,
    broken_rule,
    broken_rules,
)
from synth_dspy.records import Difficulty, QuestionType

SUM_TOLERANCE = 0.0015
"""How far from 1 ratios may sum, so that 0.333 three times is accepted."""


class Allocation(Section):
    """The share of one question type; which types there are, the recipe knows."""

    ratio: Number = Field(ge=0, le=1, description="Share of `target_samples`; all sum to 1.")
    multimodal_ratio: Number = Field(
        default=0.3, ge=0, le=1, description="Share of this type whose question needs an image."
    )


class ForbiddenPattern(Section):
    """What no question, test or answer may hold."""

    pattern: str = Field(
        min_length=1, description="Regular expression of Python's, searched for in every text."
    )
    message: str = Field(
        min_length=1, description="What is wrong with it and what to use instead; models are told."
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value, re.MULTILINE)
        except re.error as error:
            raise broken_rule(f"{value!r} is no regular expression: {error}") from None
        return value


def sums_to_one(shares: dict[str, float]) -> str | None:
    """What is wrong when `shares` do not sum to 1, or None."""
    total = sum(shares.values())
    if abs(total - 1) <= SUM_TOLERANCE:
        return None
    parts = " + ".join(f"{name} {share:g}" for name, share in shares.items())
    return f"sum to {total:g}, not to 1 ({parts or 'nothing is given'})"


def _ratios_sum(value: dict[QuestionType, Allocation]) -> dict[QuestionType, Allocation]:
    wrong = sums_to_one({name: allocation.ratio for name, allocation in value.items()})
    if wrong:
        raise broken_rule(f"the ratios {wrong}")
    return value


def _weighs_something(value: dict[Difficulty, float]) -> dict[Difficulty, float]:
    if not any(value.values()):
        raise broken_rule("every weight is 0; give at least one of easy, medium, hard more")
    return value


def default_allocations() -> dict[QuestionType, Allocation]:
    """The shares of a run that names none."""
    return {
        "qa": Allocation(ratio=0.30, multimodal_ratio=0.70),
        "code_generation": Allocation(ratio=0.35, multimodal_ratio=0.30),
        "function_completion": Allocation(ratio=0.35, multimodal_ratio=0.30),
    }


def _default_difficulties() -> dict[Difficulty, float]:
    return {"easy": 1.0, "medium": 1.0, "hard": 1.0}


class Generation(Section):
    """What is asked for, and under which limits."""

    target_samples: Whole = Field(
        default=100, ge=1, description="Accepted samples to end with, over all types."
    )
    type_allocations: Annotated[dict[QuestionType, Allocation], AfterValidator(_ratios_sum)] = (
        Field(
            default_factory=default_allocations,
            description="The share of each question type; a type that is not named is not made.",
        )
    )
    difficulty_weights: Annotated[
        dict[Difficulty, Annotated[Number, Field(ge=0)]], AfterValidator(_weighs_something)
    ] = Field(
        default_factory=_default_difficulties,
        description="Relative weights of easy, medium and hard; they need not sum to 1.",
    )

    question_model: OptionalText = Field(
        default=None, description="Endpoint that writes questions and tests."
    )
    vision_model: OptionalText = Field(default=None, description="Endpoint that describes images.")
    answer_model: OptionalText = Field(default=None, description="Endpoint that writes answers.")
    curate_model: OptionalText = Field(
        default=None, description="Endpoint that judges and classifies finished samples."
    )
    filter_model: OptionalText = Field(
        default=None,
        description="Endpoint that filters images, chunks and candidates; none: the curate model.",
    )
    llm_concurrency: Whole = Field(
        default=16, ge=1, description="Most text calls in flight at once."
    )
    vlm_concurrency: Whole = Field(
        default=16, ge=1, description="Most calls with an image in flight at once."
    )
    max_cost_usd: OptionalNumber = Field(
        default=None,
        gt=0,
        description="Stop before a run costs more, in US dollars; none: no limit.",
    )
    max_tokens_total: OptionalWhole = Field(
        default=None, ge=1, description="Stop before a run uses more tokens; none: no limit."
    )

    over_allocation_factor: Number = Field(
        default=1.8,
        ge=1,
        description="Tasks planned for each sample wanted, where a stage is run alone.",
    )
    diversity_weight: Number = Field(
        default=0.4, ge=0, le=1, description="How much reusing a chunk or an image is penalised."
    )
    keep_extra_samples: bool = Field(
        default=False,
        description="Write accepted samples beyond the target to a file of their own.",
    )

    max_context_length: Whole = Field(
        default=4000, ge=200, description="Longest chunk, in characters."
    )
    min_chunk_length: Whole = Field(
        default=200, ge=0, description="Shorter chunks are joined to a neighbour, in characters."
    )
    chunk_overlap: Whole = Field(
        default=200, ge=0, description="Text that a chunk repeats of the one before, in characters."
    )
    max_code_blocks_per_chunk: Whole = Field(
        default=6, ge=1, description="Most code blocks in a chunk."
    )
    max_images_per_chunk: Whole = Field(default=6, ge=1, description="Most images in a chunk.")

    enable_image_transcription: bool = Field(
        default=True, description="Ask the vision model to describe images (stage transcribe)."
    )
    image_kinds: tuple[str, ...] = Field(
        default=(),
        description="More kinds of picture to tell apart, besides circuit, chart, bloch_sphere, "
        "formula, diagram, table, code_output and decorative.",
    )
    enable_content_filtering: bool = Field(
        default=True, description="Drop chunks that no question can stand on (stage filter-chunks)."
    )
    enable_image_filtering: bool = Field(
        default_factory=lambda data: data["enable_content_filtering"],
        description="Drop images that teach nothing (stage filter-images); none: as "
        "enable_content_filtering, which once switched both.",
    )
    enable_candidate_filtering: bool = Field(
        default=True, description="Drop weak questions unanswered (stage filter-candidates)."
    )
    enable_question_refinement: bool = Field(
        default=True,
        description="Let the question model look at its questions again; the offline model, which "
        "could not better them, is not asked.",
    )
    enable_curate_filtering: bool = Field(
        default=True, description="Judge finished samples and drop what fails (stage curate)."
    )
    enable_classification: bool = Field(
        default=True, description="Sort finished samples into the categories (stage classify)."
    )
    enable_deduplication: bool = Field(
        default=True, description="Drop samples that resemble one kept before."
    )
    similarity_threshold: Number = Field(
        default=0.85,
        gt=0,
        le=1,
        description="Similarity from which two samples are duplicates; higher removes less.",
    )

    forbidden_patterns: tuple[ForbiddenPattern, ...] = Field(
        default=(),
        description="Text that no question, test or answer may hold; checked before anything runs.",
    )
    code_verification_max_iterations: Whole = Field(
        default=7,
        ge=0,
        description="Corrections of an answer whose test fails, before it is dropped.",
    )
    code_verification_timeout: Number = Field(
        default=60.0, gt=0, description="Wall and CPU seconds of one run of a test."
    )
    test_corrections: Whole = Field(
        default=3,
        ge=0,
        description="Corrections of a test that is not valid, before it is dropped.",
    )
    mutation_threshold: Number = Field(
        default=0.6, ge=0, le=1, description="Least share of the mutants that a test must kill."
    )
    max_mutants: Whole = Field(
        default=20, ge=0, description="Most mutants of an answer to try; 0 tries stubs only."
    )
    flaky_runs: Whole = Field(
        default=1,
        ge=0,
        description="Further runs of a passing test, under another hash seed and clock.",
    )

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        length = self.max_context_length
        problems = []
        if self.min_chunk_length >= length:
            said = f"{self.min_chunk_length} is not below max_context_length ({length}); lower it"
            problems.append(("min_chunk_length", said))
        if self.chunk_overlap >= length // 2:
            said = f"{self.chunk_overlap} is not below half of max_context_length ({length})"
            problems.append(("chunk_overlap", f"{said}; lower it"))
        if problems:
            raise broken_rules(problems)
        return self
