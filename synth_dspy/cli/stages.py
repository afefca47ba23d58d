"""The stages of every recipe, each a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import (
    ClearCache,
    Config,
    HubId,
    HubPrivate,
    Json,
    LogJson,
    NoCache,
    NoTrace,
    Quiet,
    RetryFailed,
    Set,
    Verbose,
    loaded,
)

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


def _stage_command(name: str) -> Callable[..., None]:
    def command(
        config: Config = None,
        overrides: Set = None,
        no_cache: NoCache = False,
        clear_cache: ClearCache = False,
        retry_failed: RetryFailed = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        log_json: LogJson = False,
        no_trace: NoTrace = False,
    ) -> None:
        from synth_dspy.commands.execution import Options
        from synth_dspy.commands.running import run_stage

        context = loaded(config, overrides, quiet=quiet, verbose=verbose, log_json=log_json)
        options = Options(
            no_cache=no_cache,
            clear_cache=clear_cache,
            retry_failed=retry_failed,
            quiet=quiet,
            trace=not no_trace,
        )
        raise typer.Exit(run_stage(context, name, options))

    return command


def plan(
    config: Config = None,
    overrides: Set = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what the run would ask and cost.")
    ] = False,
    json_lines: Json = False,
    no_cache: NoCache = False,
    clear_cache: ClearCache = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_json: LogJson = False,
    no_trace: NoTrace = False,
) -> None:
    """Allocate tasks, and write questions and tests."""
    if not estimate:
        _stage_command("plan")(
            config,
            overrides,
            no_cache,
            clear_cache,
            retry_failed,
            quiet,
            verbose,
            log_json,
            no_trace,
        )
    from synth_dspy.commands.planning import print_estimate

    print_estimate(loaded(config, overrides, quiet=json_lines), json_lines=json_lines)


def export(
    config: Config = None,
    overrides: Set = None,
    chat_format: Annotated[
        list[str] | None,
        typer.Option(
            "--chat-format",
            help="Also write chat files: messages, sharegpt or ms-swift. May be repeated.",
            metavar="FORMAT",
        ),
    ] = None,
    hub_id: HubId = "",
    hub_private: HubPrivate = False,
    analyze_too: Annotated[
        bool, typer.Option("--analyze", help="Then write statistics, plots and the report.")
    ] = False,
    no_cache: NoCache = False,
    clear_cache: ClearCache = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_json: LogJson = False,
    no_trace: NoTrace = False,
) -> None:
    """Write the dataset in the forms asked for, and push it where asked."""
    from synth_dspy.commands.execution import Options
    from synth_dspy.commands.finishing import Push, run_export

    context = loaded(config, overrides, quiet=quiet, verbose=verbose, log_json=log_json)
    raise typer.Exit(
        run_export(
            context,
            Options(
                no_cache=no_cache,
                clear_cache=clear_cache,
                retry_failed=retry_failed,
                quiet=quiet,
                trace=not no_trace,
            ),
            chat_formats=chat_format or (),
            push=Push(hub_id, hub_private),
            analyze=analyze_too,
        )
    )


def analyze(
    config: Config = None,
    overrides: Set = None,
    source: Annotated[
        str, typer.Option("--source", help="Which samples to look at: splits, generated or final.")
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
    no_cache: NoCache = False,
    clear_cache: ClearCache = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_json: LogJson = False,
    no_trace: NoTrace = False,
) -> None:
    """Write the analysis of samples, and push it where asked."""
    from synth_dspy.commands.execution import Options
    from synth_dspy.commands.finishing import Push, run_analyze

    context = loaded(config, overrides, quiet=quiet, verbose=verbose, log_json=log_json)
    raise typer.Exit(
        run_analyze(
            context,
            Options(
                no_cache=no_cache,
                clear_cache=clear_cache,
                retry_failed=retry_failed,
                quiet=quiet,
                trace=not no_trace,
            ),
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
            app.command(name, help=text, rich_help_panel=heading)(command)
