"""Looking: what a run is told, what it made, what it asked."""

from __future__ import annotations

from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, Set, loaded

HEADING = "Looking"


def info(
    config: Config = None,
    overrides: Set = None,
    json_lines: Json = False,
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what each step sends.")] = False,
) -> None:
    """Show the run's settings, stages and models."""
    from synth_dspy.commands.checking import info as show

    show(loaded(config, overrides), json_lines=json_lines, prompts=prompts)


def inspect(
    stage: Annotated[str, typer.Option("--stage", "-s", help="A stage's or folder's name.")],
    config: Config = None,
    overrides: Set = None,
    count: Annotated[int, typer.Option("--count", "-n", help="How many records; 0: all.")] = 3,
    random: Annotated[bool, typer.Option("--random", help="Any, not the first.")] = False,
    dropped: Annotated[bool, typer.Option("--dropped", help="What was dropped, and why.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="What failed, and why.")] = False,
    json_lines: Json = False,
) -> None:
    """Show what a stage made, dropped or failed on."""
    from synth_dspy.commands.looking import inspect_stage

    inspect_stage(
        loaded(config, overrides), stage, count=None if json_lines and count == 3 else count,
        random=random, dropped=dropped, failed=failed, json_lines=json_lines,
    )  # fmt: skip


def inspect_traces(
    config: Config = None,
    overrides: Set = None,
    stage: Annotated[str, typer.Option("--stage", "-s", help="Calls of one stage only.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Calls that failed only.")] = False,
    count: Annotated[int, typer.Option("--count", "-n", help="How many, the last ones.")] = 3,
    index: Annotated[
        int | None, typer.Option("--index", help="One call by its number; -1 is the last.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Whole messages and replies.")] = False,
    json_lines: Json = False,
) -> None:
    """Show the conversations with models."""
    from synth_dspy.commands.looking import inspect_conversations

    inspect_conversations(
        loaded(config, overrides), stage=stage, failed=failed, count=count, index=index,
        full=full, json_lines=json_lines,
    )  # fmt: skip


def stats(config: Config = None, overrides: Set = None, json_lines: Json = False) -> None:
    """Print the numbers of a run: stages, drops, samples, cost."""
    from synth_dspy.commands.looking import print_stats

    print_stats(loaded(config, overrides), json_lines=json_lines)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel=HEADING)(info)
    app.command(rich_help_panel=HEADING)(inspect)
    app.command("inspect-traces", rich_help_panel=HEADING)(inspect_traces)
    app.command(rich_help_panel=HEADING)(stats)
