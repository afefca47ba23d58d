"""Whole runs: pipeline and generate."""

from __future__ import annotations

from typing import Annotated

import typer

from synth_dspy.cli.run_options import Hub, Run, Where
from synth_dspy.cli.unfolding import unfolded

HEADING = "Whole runs"


def pipeline(
    *,
    run: Run,
    trial: Annotated[
        bool, typer.Option("--trial", help="A small sample, in a directory of its own.")
    ] = False,
    skip_analysis: Annotated[
        bool, typer.Option("--skip-analysis", help="End with the dataset: no plots, no report.")
    ] = False,
    hub: Hub,
    where: Where,
) -> None:
    """Run every stage: documents in, a dataset and a report out."""
    from synth_dspy.commands.running import run_pipeline

    options = run.options(trial=trial, skip_analysis=skip_analysis, ray=where.ray())
    raise typer.Exit(run_pipeline(run.context(), options, push=hub.push()))


def generate(run: Run, where: Where) -> None:
    """Run plan to classify on the chunks that filter-chunks kept, until the quotas are met."""
    from synth_dspy.commands.running import run_generate

    options = run.options(ray=where.ray())
    raise typer.Exit(run_generate(run.context(), options))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (pipeline, generate):
        app.command(rich_help_panel=HEADING)(unfolded(command))
