"""What a run will ask of its models, before it asks anything: calls, tokens and money by step.

Enters: the configuration, the Program, and the chunks of the documents. Leaves: one JSON object.
The prompts' lengths are those of the real prompts with the documents' own passages; how many tries
an accepted sample takes, and how long replies are, is assumed until a run has measured it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from synth_dspy.config import Config
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.estimate import IMAGE_TOKENS
from synth_dspy.lm.prices import price_of
from synth_dspy.programs.assistant import AssistantProgram
from synth_dspy.programs.module import Role, passage_of
from synth_dspy.programs.types import Kind, by_name
from synth_dspy.records import Chunk, Modality
from synth_dspy.stages.build import Build
from synth_dspy.stages.generate import (
    AnswerCandidates,
    Classify,
    Curate,
    FilterCandidates,
    WriteCandidates,
)

_CHARS_PER_TOKEN = 4.0
# Share of the tasks that come through each stage where no run has shown it.
ASSUMED_YIELD = {
    WriteCandidates.name: 0.85,
    FilterCandidates.name: 0.9,
    AnswerCandidates.name: 0.8,
    Curate.name: 0.85,
    Classify.name: 1.0,
    Build.name: 0.95,
}
# Repairs for each record of a stage, where they occur at all.
_REPAIRS = {"repair_test": 0.3, "repair_code": 0.8, "strengthen_test": 0.3, "repair_answer": 0.05}
# Characters of fields that do not exist yet, and of replies.
_FIELD_CHARS = {
    "question": 450, "stub": 600, "task": 450, "answer": 700, "test_code": 900, "report": 300,
    "previous_program": 900, "previous_answer": 700, "image_description": 500, "image_code": 500,
    "surrounding_text": 1500, "description": 500, "categories": 900, "form": 90,
}  # fmt: skip
_REPLY_CHARS = {
    "body": 600, "program": 900, "repaired_program": 900, "test_code": 1000, "repaired_test": 1000,
    "stub": 700, "task": 500, "question": 250, "refined_question": 450, "answer": 700,
    "repaired_answer": 700, "caption": 500, "summary": 350, "description": 600, "reason": 150,
}  # fmt: skip
_SHORT_REPLY_CHARS = 12


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one call of a step takes, in tokens."""

    role: Role
    input_tokens: float
    output_tokens: float


def estimate(
    config: Config,
    program: AssistantProgram,
    chunks: Sequence[Chunk],
    targets: Mapping[tuple[str, Modality], int],
    *,
    images: int,
    described: bool,
    filtered: bool,
    measured: Mapping[str, float],
) -> dict[str, Any]:
    """Expected calls, tokens and cost of a run.

    Args:
        targets: accepted samples wanted by type and modality.
        images: pictures to describe; `described` and `filtered` say that the stages before `plan`
            have been paid for.
        measured: by stage, the share of its records that it kept in a run before.
    """
    rates = {**ASSUMED_YIELD, **{k: v for k, v in measured.items() if k in ASSUMED_YIELD and v}}
    prompts = _prompts(config, program, chunks)
    calls: Counter[str] = Counter()
    generation = config.generation
    if not described:
        calls["describe_image"] += images if generation.enable_image_transcription else 0
        calls["judge_image"] += images if generation.enable_image_filtering else 0
    if not filtered and generation.enable_content_filtering:
        calls["judge_chunk"] += len(chunks)
    attempts, kinds = 0.0, by_name()
    for (name, _), wanted in targets.items():
        tried = wanted / _product(rates)
        attempts += tried
        _count(calls, config, program, kinds[name], tried, rates)
    lines = [_line(config, step, prompts[step], number) for step, number in calls.items() if number]
    known = [line["cost_usd"] for line in lines if line["cost_usd"] is not None]
    unpriced = sorted({line["model"] for line in lines if line["cost_usd"] is None})
    return {
        "target_samples": sum(targets.values()),
        "chunks": len(chunks),
        "images": images,
        "expected_tasks": round(attempts),
        "yield": {stage: round(rate, 3) for stage, rate in rates.items()},
        "basis": "measured" if measured else "assumed",
        "steps": lines,
        "calls": sum(line["calls"] for line in lines),
        "input_tokens": sum(line["input_tokens"] for line in lines),
        "output_tokens": sum(line["output_tokens"] for line in lines),
        "cost_usd": round(sum(known), 4) if not unpriced else None,
        "models_without_price": unpriced,
    }


def _product(rates: Mapping[str, float]) -> float:
    result = 1.0
    for rate in rates.values():
        result *= rate
    return max(result, 0.02)


def _count(
    calls: Counter[str],
    config: Config,
    program: AssistantProgram,
    kind: Kind,
    tried: float,
    rates: Mapping[str, float],
) -> None:
    """Add the calls of `tried` tasks of one type."""
    generation = config.generation
    for step, _ in program.question_writer.by_type[kind.name].own_steps():
        calls[step] += _whole(tried)
    if program.refines and kind.refinable:
        calls["refine_question"] += _whole(tried * rates[WriteCandidates.name])
    if kind.is_code:
        calls["write_test"] += _whole(tried)
        calls["repair_test"] += _whole(tried * _REPAIRS["repair_test"])
    left = tried * rates[WriteCandidates.name]
    if generation.enable_candidate_filtering:
        calls["judge_candidate"] += _whole(left)
    left *= rates[FilterCandidates.name]
    for step, _ in program.answer_writer.by_type[kind.name].own_steps():
        calls[step] += _whole(left)
    repairs = ("repair_code", "strengthen_test") if kind.is_code else ("repair_answer",)
    for step in repairs:
        calls[step] += _whole(left * _REPAIRS[step])
    left *= rates[AnswerCandidates.name]
    if generation.enable_curate_filtering:
        calls["judge_sample"] += _whole(left)
    if generation.enable_classification and config.categories:
        calls["classify_sample"] += _whole(left * rates[Curate.name])


def _whole(number: float) -> int:
    return int(number + 0.999)


def _prompts(
    config: Config, program: AssistantProgram, chunks: Sequence[Chunk]
) -> dict[str, Prompt]:
    """Each step's tokens: the prompt as it is, with fields of these documents' size."""
    sizes = {
        **_FIELD_CHARS,
        "passage": mean(len(passage_of(chunk)) for chunk in chunks) if chunks else 2000,
        "prior_code": mean(len(chunk.prior_code) for chunk in chunks) if chunks else 500,
        "categories": sum(len(c.name) + len(c.description) + 4 for c in config.categories),
    }
    result = {}
    for shown in program.shown(SynthAdapter()):
        signature = next(
            p.signature for path, p in program.named_predictors() if path.endswith(shown.step)
        )
        given = sum(sizes.get(name, 40) for name in signature.input_fields)
        chars = len(shown.system) + len(shown.user) + given
        made = sum(20 + _REPLY_CHARS.get(n, _SHORT_REPLY_CHARS) for n in signature.output_fields)
        picture = 0
        if shown.step == "describe_image" and config.sees(config.endpoint_for("vision")):
            picture = IMAGE_TOKENS
        result[shown.step] = Prompt(
            shown.role, chars / _CHARS_PER_TOKEN + picture, made / _CHARS_PER_TOKEN
        )
    return result


def _line(config: Config, step: str, prompt: Prompt, calls: int) -> dict[str, Any]:
    endpoint = config.endpoint_for(prompt.role)
    given, made = round(calls * prompt.input_tokens), round(calls * prompt.output_tokens)
    price = price_of(endpoint)
    return {
        "step": step,
        "role": prompt.role,
        "endpoint": endpoint.name,
        "model": endpoint.model_name,
        "calls": calls,
        "input_tokens": given,
        "output_tokens": made,
        "cost_usd": round(price.cost(given, made), 4) if price else None,
    }
