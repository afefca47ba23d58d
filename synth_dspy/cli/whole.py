"""Whole runs: pipeline and generate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synth_dspy.cli.arguments import (
    ClearCache,
    Config,
    HubId,
    HubPrivate,
    LogJson,
    NoCache,
    NoTrace,
    Quiet,
    RayAddress,
    RayWorkers,
    RetryFailed,
    Runner,
    Set,
    Verbose,
    loaded,
)
from synth_dspy.errors import UserError

if TYPE_CHECKING:
    from synth_dspy.commands.execution import OnRay

HEADING = "Whole runs"


def pipeline(
    config: Config = None,
    overrides: Set = None,
    trial: Annotated[
        bool, typer.Option("--trial", help="A small sample, in a directory of its own.")
    ] = False,
    no_cache: NoCache = False,
    clear_cache: ClearCache = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_json: LogJson = False,
    no_trace: NoTrace = False,
    skip_analysis: Annotated[
        bool, typer.Option("--skip-analysis", help="End with the dataset: no plots, no report.")
    ] = False,
    hub_id: HubId = "",
    hub_private: HubPrivate = False,
    runner: Runner = "local",
    ray_address: RayAddress = "",
    ray_workers: RayWorkers = None,
) -> None:
    """Run every stage: documents in, a dataset and a report out."""
    from synth_dspy.commands.execution import Options
    from synth_dspy.commands.finishing import Push
    from synth_dspy.commands.running import run_pipeline

    ray = _ray(runner, ray_address, ray_workers)
    context = loaded(config, overrides, quiet=quiet, verbose=verbose, log_json=log_json)
    options = Options(
        no_cache=no_cache,
        clear_cache=clear_cache,
        retry_failed=retry_failed,
        trial=trial,
        quiet=quiet,
        trace=not no_trace,
        skip_analysis=skip_analysis,
        ray=ray,
    )
    raise typer.Exit(run_pipeline(context, options, push=Push(hub_id, hub_private)))


def generate(
    config: Config = None,
    overrides: Set = None,
    no_cache: NoCache = False,
    clear_cache: ClearCache = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_json: LogJson = False,
    no_trace: NoTrace = False,
    runner: Runner = "local",
    ray_address: RayAddress = "",
    ray_workers: RayWorkers = None,
) -> None:
    """Run plan to classify on the chunks that filter-chunks kept, until the quotas are met."""
    from synth_dspy.commands.execution import Options
    from synth_dspy.commands.running import run_generate

    ray = _ray(runner, ray_address, ray_workers)
    context = loaded(config, overrides, quiet=quiet, verbose=verbose, log_json=log_json)
    options = Options(
        no_cache=no_cache,
        clear_cache=clear_cache,
        retry_failed=retry_failed,
        quiet=quiet,
        trace=not no_trace,
        ray=ray,
    )
    raise typer.Exit(run_generate(context, options))


def _ray(runner: str, address: str, workers: int | None) -> OnRay | None:
    if runner not in ("local", "ray"):
        raise UserError(f"--runner {runner!r} is not one of local, ray.")
    if runner == "local":
        if address or workers:
            option = "--ray-address" if address else "--ray-workers"
            raise UserError(
                f"{option} goes with `--runner ray`; this run is on this machine alone."
            )
        return None
    from synth_dspy.commands.execution import OnRay

    return OnRay(address, workers)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (pipeline, generate):
        app.command(rich_help_panel=HEADING)(command)
