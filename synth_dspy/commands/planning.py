"""plan --estimate: what a run will ask for, said before it asks."""

from __future__ import annotations

import asyncio
from typing import Any

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.commands.execution import Execution, Options
from synth_dspy.outcomes import Kept
from synth_dspy.recipes.assistant import PREPARE, STAGES
from synth_dspy.recipes.assistant_options import allocation_options, chunk_options
from synth_dspy.recipes.estimate import estimate
from synth_dspy.records import Chunk, Document
from synth_dspy.runners.progress import Reporter
from synth_dspy.stages.allocation import targets
from synth_dspy.stages.chunks import FilterChunks, MakeChunks
from synth_dspy.stages.generate import Classify
from synth_dspy.stages.images import FilterImages
from synth_dspy.stages.parse import Parse
from synth_dspy.stages.results import outputs, summaries


def print_estimate(context: Context, *, json_lines: bool) -> None:
    """Print expected calls, tokens and cost by step. Documents are parsed; no model is asked.

    Raises:
        SourceError: a source is not there.
        ConfigError: a question type, a step of `prompts` or a price is wrong.
    """
    config, run = context.config, context.run
    wanted = targets(allocation_options(config))
    found = summaries(run, STAGES)
    with Reporter(context.console, quiet=True) as reporter:
        execution = Execution(config, reporter, Options(quiet=True))
        if Parse.name not in found:
            execution.stage(Parse.name)
            found = summaries(run, PREPARE)
        program = execution.resources.program
        described, filtered = FilterImages.name in found, FilterChunks.name in found
        documents: list[Document] = outputs(run, FilterImages if described else Parse)
        if filtered:
            chunks: list[Chunk] = outputs(run, FilterChunks)
        else:
            chunks = asyncio.run(_chunked(context, documents))
        result = estimate(
            config,
            program,
            chunks,
            wanted,
            images=sum(not image.decorative for d in documents for image in d.images),
            described=described,
            filtered=filtered,
            measured={n: s["kept"] / s["in"] for n, s in found.items() if s["in"]}
            if Classify.name in found
            else {},
        )
        asyncio.run(execution.resources.aclose())
    if json_lines:
        print_json(result)
    else:
        _show(result)


async def _chunked(context: Context, documents: list[Document]) -> list[Chunk]:
    stage = MakeChunks(chunk_options(context.config))
    chunks: list[Chunk] = []
    for document in documents:
        outcome = await stage.process(document)
        if isinstance(outcome, Kept):
            chunks += outcome.outputs
    return chunks


def _show(result: dict[str, Any]) -> None:
    show(f"{'step':<20}{'model':<28}{'calls':>8}{'tokens in':>12}{'tokens out':>12}{'cost':>12}")
    for line in result["steps"]:
        show(
            f"{line['step']:<20}{line['model']:<28}{line['calls']:>8}{line['input_tokens']:>12}"
            f"{line['output_tokens']:>12}{_dollars(line['cost_usd']):>12}"
        )
    show(
        f"{'all':<48}{result['calls']:>8}{result['input_tokens']:>12}"
        f"{result['output_tokens']:>12}{_dollars(result['cost_usd']):>12}"
    )
    show(
        f"for {result['target_samples']} samples from {result['chunks']} passages and "
        f"{result['images']} pictures; about {result['expected_tasks']} tasks, "
        f"by rates that are {result['basis']}"
    )
    if result["models_without_price"]:
        show(
            "no price is known for " + ", ".join(result["models_without_price"])
            + "; set price_per_million_input and price_per_million_output"
        )  # fmt: skip


def _dollars(cost: float | None) -> str:
    return "?" if cost is None else f"${cost:.4f}"
