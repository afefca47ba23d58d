"""Looking: what a run is told, what it made, what it asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, Set, loaded

HEADING = "Looking"


def info(
    config: Config = None,
    overrides: Set = None,
    json_lines: Json = False,
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what each step sends.")] = False,
    step: Annotated[
        str, typer.Option("--step", metavar="NAME", help="Print what this step sends.")
    ] = "",
    settings: Annotated[
        bool, typer.Option("--settings", help="Print every setting there is, as a table.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say which stages a run would do again, and do nothing.")
    ] = False,
) -> None:
    """Show the run's settings, stages and models."""
    if plan:
        from synth_dspy.commands.rebuilding import show_plan

        show_plan(loaded(config, overrides, quiet=json_lines), json_lines=json_lines)
        return
    from synth_dspy.commands.informing import info as show
    from synth_dspy.commands.informing import show_settings

    if settings:
        show_settings()
        return
    show(loaded(config, overrides), json_lines=json_lines, prompts=prompts, step=step)


def inspect(
    stage: Annotated[
        str,
        typer.Option(
            "--stage",
            "-s",
            metavar="NAME",
            help="A stage by its name or its folder: parse, chunk, plan, ...",
        ),
    ],
    config: Config = None,
    overrides: Set = None,
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", metavar="N", help="How many records; 0: all.  [default: 3]"),
    ] = None,
    index: Annotated[
        int | None,
        typer.Option(
            "--index", "-i", metavar="N", help="One record by its number; -1 is the last."
        ),
    ] = None,
    random: Annotated[
        bool, typer.Option("--random", help="Pick records at random, not the first ones.")
    ] = False,
    dropped: Annotated[bool, typer.Option("--dropped", help="What was dropped, and why.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="What failed, and why.")] = False,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Show the images of records.")
    ] = True,
    code: Annotated[
        bool, typer.Option("--code/--no-code", help="Show code and tests of records.")
    ] = True,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="Write the records to a JSONL file.", metavar="FILE"),
    ] = None,
    json_lines: Json = False,
) -> None:
    """Show what a stage made, dropped or failed on."""
    from synth_dspy.commands.looking import View, inspect_stage

    # Scripts and files take all there is, people three.
    whole = json_lines or export is not None
    view = View(
        count=count if count is not None else None if whole else 3,
        index=index, random=random, dropped=dropped, failed=failed, images=images, code=code,
        export=export,
    )  # fmt: skip
    inspect_stage(loaded(config, overrides), stage, view, json_lines=json_lines)


def inspect_traces(
    config: Config = None,
    overrides: Set = None,
    stage: Annotated[
        str, typer.Option("--stage", "-s", metavar="NAME", help="Calls of one stage only.")
    ] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Calls that failed only.")] = False,
    success: Annotated[bool, typer.Option("--success", help="Calls that did not fail.")] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", help="How many, the last ones.")
    ] = 3,
    index: Annotated[
        int | None,
        typer.Option("--index", "-i", metavar="N", help="One call by its number; -1 is the last."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Whole messages and replies.")] = False,
    json_lines: Json = False,
) -> None:
    """Show what models were asked, and what they replied."""
    from synth_dspy.commands.conversing import inspect_conversations
    from synth_dspy.errors import UserError

    if failed and success:
        raise UserError("--failed and --success exclude each other; give one, or neither for all.")
    inspect_conversations(
        loaded(config, overrides), stage=stage, failed=failed, success=success, count=count,
        index=index, full=full, json_lines=json_lines,
    )  # fmt: skip


def stats(config: Config = None, overrides: Set = None, json_lines: Json = False) -> None:
    """Print the numbers of a run: stages, drops, samples, cost."""
    from synth_dspy.commands.looking import print_stats

    print_stats(loaded(config, overrides), json_lines=json_lines)


def analyze_allocation(
    config: Config = None,
    overrides: Set = None,
    target: Annotated[
        int | None,
        typer.Option("--target", metavar="N", min=1, help="Samples wanted; else target_samples."),
    ] = None,
    json_lines: Json = False,
) -> None:
    """Say how far the filtered passages go, and recommend settings; asks no model."""
    from synth_dspy.commands.allocating import analyze_allocation as analyze

    analyze(loaded(config, overrides, quiet=json_lines), target=target, json_lines=json_lines)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel=HEADING)(info)
    app.command("analyze-allocation", rich_help_panel=HEADING)(analyze_allocation)
    app.command(rich_help_panel=HEADING)(inspect)
    app.command("inspect-traces", rich_help_panel=HEADING)(inspect_traces)
    app.command(rich_help_panel=HEADING)(stats)
