"""analyze-allocation: how far the filtered passages go, and which settings suit them; asks nothing.

The passages that filter-chunks kept enter; a table, a plot and a recommendation leave.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.dataset.plots_allocation import draw_sweep
from synth_dspy.errors import UserError
from synth_dspy.recipes.assistant import GENERATE
from synth_dspy.recipes.assistant_options import allocation_options
from synth_dspy.recipes.estimate import ASSUMED_YIELD
from synth_dspy.records import Chunk
from synth_dspy.stages.allocation_sweep import sweep_allocation
from synth_dspy.stages.build import Build
from synth_dspy.stages.chunks import FilterChunks
from synth_dspy.stages.plan import Allocate
from synth_dspy.stages.results import outputs, summaries
from synth_dspy.store.run_directory import RunDirectory

PLOT = "allocation_sweep.png"


def analyze_allocation(context: Context, *, target: int | None, json_lines: bool) -> None:
    """Print what other settings would do, and write the plot beside the plan.

    Args:
        target: accepted samples wanted; None for the configuration's.

    Raises:
        UserError: another recipe than `assistant`, or no passages.
        StageError: filter-chunks has not run.
    """
    config, run = context.config, context.run
    if config.recipe != "assistant":
        raise UserError(
            f"analyze-allocation is for the recipe assistant; {config.file} has "
            f"recipe: {config.recipe}, which allocates nothing."
        )
    chunks: list[Chunk] = outputs(run, FilterChunks)
    if not chunks:
        raise UserError(
            f"filter-chunks kept no passage in {run.path}; see `inspect --stage filter-chunks "
            "--dropped` for the reasons."
        )
    options = allocation_options(config)
    if target is not None:
        options = replace(options, target=target)
    acceptance, basis = _acceptance(run)
    result: dict[str, Any] = {
        "acceptance": round(acceptance, 4),
        "acceptance_basis": basis,
        **sweep_allocation(
            chunks,
            options,
            factor=config.generation.over_allocation_factor,
            acceptance=acceptance,
        ),
    }
    plot = run.folder(Allocate.folder) / PLOT
    draw_sweep(result, plot)
    result["plot"] = str(plot)
    if json_lines:
        print_json(result)
    else:
        _show(result)


def _acceptance(run: RunDirectory) -> tuple[float, str]:
    """Share of the tasks that become samples, and whether a run measured it."""
    found = summaries(run, (*GENERATE, Build))
    if Build.name in found and all(summary["in"] for summary in found.values()):
        generating = [found[stage.name] for stage in GENERATE]
        if (share := prod(s["kept"] / s["in"] for s in generating)) > 0:
            return share, "measured"
    return prod(ASSUMED_YIELD.values()), "assumed"


def _show(result: dict[str, Any]) -> None:
    show(
        f"{result['chunks']} passages bear {result['tasks']} tasks; "
        f"{result['acceptance']:.0%} of the tasks become samples ({result['acceptance_basis']})"
    )
    show(f"\n{'diversity_weight':<24}{'passages used':>14}{'reuse':>8}{'most':>6}{'quality':>9}")
    for p in result["diversity_weight"]:
        show(
            f"{p['diversity_weight']:<24}{p['chunk_coverage']:>14.0%}{p['reuse_mean']:>8.1f}"
            f"{p['reuse_max']:>6}{p['mean_quality']:>9.2f}"
        )
    show(f"\n{'over_allocation_factor':<24}{'tasks':>14}{'samples':>14}")
    for p in result["over_allocation_factor"]:
        show(f"{p['over_allocation_factor']:<24}{p['tasks']:>14}{p['expected_accepted']:>14}")
    show(f"\n{'target_samples':<24}{'reachable':>14}{'passages used':>14}")
    for p in result["target"]:
        show(f"{p['target_samples']:<24}{p['reachable']:>14}{p['chunk_coverage']:>14.0%}")
    for cell in result["scarce"]:
        show(
            f"\nscarce: {cell['type']} ({cell['modality']}): {cell['tasks']} tasks for "
            f"{cell['wanted']} samples"
        )
    advice = result["recommended"]
    show("\nrecommended " + ", ".join(f"{name}: {value}" for name, value in advice.items()))
    show(f"plot        {result['plot']}")
