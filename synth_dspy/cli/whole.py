"""Whole runs: pipeline and generate."""

from __future__ import annotations

from typing import Annotated

import typer

from synth_dspy.cli.arguments import (
    Config,
    HubId,
    HubPrivate,
    NoCache,
    NoTrace,
    Quiet,
    Runner,
    Set,
    loaded,
)
from synth_dspy.errors import UserError

HEADING = "Whole runs"


def pipeline(
    config: Config = None,
    overrides: Set = None,
    trial: Annotated[
        bool, typer.Option("--trial", help="A small sample, in a directory of its own.")
    ] = False,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
    skip_analysis: Annotated[
        bool, typer.Option("--skip-analysis", help="End with the dataset: no plots, no report.")
    ] = False,
    hub_id: HubId = "",
    hub_private: HubPrivate = False,
    runner: Runner = "local",
) -> None:
    """Run every stage: documents in, a dataset and a report out."""
    from synth_dspy.commands.finishing import Push
    from synth_dspy.commands.running import run_pipeline

    _check_runner(runner)
    context = loaded(config, overrides, quiet=quiet)
    raise typer.Exit(
        run_pipeline(
            context,
            trial=trial,
            no_cache=no_cache,
            quiet=quiet,
            trace=not no_trace,
            skip_analysis=skip_analysis,
            push=Push(hub_id, hub_private),
        )
    )


def generate(
    config: Config = None,
    overrides: Set = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
    runner: Runner = "local",
) -> None:
    """Run plan to classify on the chunks that filter-chunks kept, until the quotas are met."""
    from synth_dspy.commands.running import run_generate

    _check_runner(runner)
    context = loaded(config, overrides, quiet=quiet)
    raise typer.Exit(run_generate(context, no_cache=no_cache, quiet=quiet, trace=not no_trace))


def _check_runner(runner: str) -> None:
    if runner != "local":
        raise UserError(f"--runner {runner!r}: this version has one runner, local.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (pipeline, generate):
        app.command(rich_help_panel=HEADING)(command)
