"""The stages of every recipe, each a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import HubId, Json
from synth_dspy.cli.run_options import Hub, Run
from synth_dspy.cli.unfolding import unfolded

_STAGE_HELP = {
    "Stages of assistant": {
        "parse": "Read the sources' documents and store their images.",
        "transcribe": "Describe images.",
        "filter-images": "Take images out that teach nothing.",
        "chunk": "Divide documents into passages.",
        "filter-chunks": "Drop passages that teach nothing.",
        "plan": "Allocate tasks, and write questions and tests.",
        "filter-candidates": "Drop questions that are not worth an answer.",
        "answer": "Write answers, run their tests, correct them.",
        "curate": "Judge finished samples.",
        "classify": "Sort samples into the categories.",
        "build": "Choose the samples of the dataset, deduplicate and split.",
    },
    "Stages of rows": {
        "refine": "Make the query clearer.",
        "write-rows": "Write and judge rows until there are enough.",
        "judge-rows": "The same: writing and judging go together.",
    },
    "Stages of conversations": {
        "extract-qa": "Write question and answer pairs from facts.",
        "validate-qa": "Judge question and answer pairs.",
        "converse": "Write conversations.",
        "judge": "Judge conversations.",
        "embed": "Embed conversations.",
        "dedup": "Drop conversations that repeat one.",
        "select": "Keep the best conversations.",
    },
    "Stages of routing": {
        "sample-content": "Draw records from the content backend.",
        "select-profiles": "Select the profiles that serve the optimizer.",
        "plan-examples": "Plan balanced queries.",
        "generate-examples": "Write queries, and make a row of each.",
    },
    "Stages of every recipe": {
        "export": "Write the Hugging Face dataset and its card.",
        "analyze": "Write statistics, plots and the report.",
    },
}


def _run(name: str, run: Run) -> None:
    from synth_dspy.commands.running import run_stage

    raise typer.Exit(run_stage(run.context(), name, run.options()))


def _stage_command(name: str) -> Callable[..., None]:
    def command(run: Run) -> None:
        _run(name, run)

    return command


def plan(
    run: Run,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what the run would ask and cost.")
    ] = False,
    json_lines: Json = False,
) -> None:
    """Allocate tasks, and write questions and tests."""
    if not estimate:
        _run("plan", run)
    from synth_dspy.commands.planning import print_estimate

    print_estimate(run.context(quiet=json_lines), json_lines=json_lines)


def export(
    *,
    run: Run,
    chat_format: Annotated[
        list[str] | None,
        typer.Option(
            "--chat-format",
            help="Also write chat files: messages, sharegpt or ms-swift. May be repeated.",
            metavar="FORMAT",
        ),
    ] = None,
    hub: Hub,
    analyze_too: Annotated[
        bool, typer.Option("--analyze", help="Then write statistics, plots and the report.")
    ] = False,
) -> None:
    """Write the dataset in the forms asked for, and push it where asked."""
    from synth_dspy.commands.finishing import run_export

    raise typer.Exit(
        run_export(
            run.context(),
            run.options(),
            chat_formats=chat_format or (),
            push=hub.push(),
            analyze=analyze_too,
        )
    )


def analyze(
    run: Run,
    source: Annotated[
        str,
        typer.Option(
            "--source", metavar="NAME", help="Which samples to look at: splits, generated or final."
        ),
    ] = "splits",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to.", metavar="DIR")
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Plots and the report, or figures alone.")
    ] = True,
    allocation: Annotated[
        bool, typer.Option("--allocation/--no-allocation", help="How passages were used.")
    ] = True,
    pipeline_too: Annotated[
        bool, typer.Option("--pipeline/--no-pipeline", help="What the stages dropped and cost.")
    ] = True,
    hub_id: HubId = "",
) -> None:
    """Write the analysis of samples, and push it where asked."""
    from synth_dspy.commands.finishing import Push, run_analyze

    raise typer.Exit(
        run_analyze(
            run.context(),
            run.options(),
            source=source,
            output=output,
            plots=plots,
            allocation=allocation,
            pipeline=pipeline_too,
            push=Push(hub_id),
        )
    )


def register(app: typer.Typer) -> None:
    """Add these commands."""
    special: dict[str, Callable[..., None]] = {"plan": plan, "export": export, "analyze": analyze}
    for heading, stages in _STAGE_HELP.items():
        for name, text in stages.items():
            command = special.get(name) or _stage_command(name)
            app.command(name, help=text, rich_help_panel=heading)(unfolded(command))
