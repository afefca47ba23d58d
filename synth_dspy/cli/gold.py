"""Gold: labelled examples that prompts are compiled on and the judge is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, NamedArguments, Set, loaded

HEADING = "Prompts"
Gold = Annotated[
    Path | None, typer.Option("--gold", help="In place of the step's own gold.", metavar="FILE")
]


def gold_check(
    config: Config = None,
    overrides: Set = None,
    step: Annotated[
        str, typer.Option("--step", metavar="NAME", help="A step with gold, or all.")
    ] = "all",
    gold: Gold = None,
    benchmark: Annotated[
        list[Path] | None,
        typer.Option(
            "--benchmark", help="Refuse items of this benchmark, too. May be repeated.",
            metavar="FILE",
        ),
    ] = None,
    json_lines: Json = False,
) -> None:  # fmt: skip
    """Look at gold sets: labels, balance, repeats across splits, leaks from benchmarks."""
    from synth_dspy.commands.gold import check

    context = loaded(config, overrides, quiet=json_lines)
    check(context, step, file=gold, benchmarks=benchmark or (), json_lines=json_lines)


def gold_export(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV to write.")],
    config: Config = None,
    overrides: Set = None,
    step: Annotated[
        str, typer.Option("--step", metavar="NAME", help="judge or classify.")
    ] = "judge",
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="At most so many samples.")
    ] = 200,
) -> None:
    """Write a sheet with a run's samples for people to label."""
    from synth_dspy.commands.gold import export

    export(loaded(config, overrides), step, output, count=count)


def gold_import(
    sheet: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV with its labels.")],
    step: Annotated[
        str, typer.Option("--step", metavar="NAME", help="judge or classify.")
    ] = "judge",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Gold set to make or to add to; configs/gold/ without it.",
            metavar="FILE",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Read a labelled sheet into a gold set."""
    from synth_dspy.commands.gold import take_in

    take_in(step, sheet, output)


def gold_calibrate(
    config: Config = None,
    overrides: Set = None,
    step: Annotated[
        str, typer.Option("--step", metavar="NAME", help="A step that judges.")
    ] = "judge",
    gold: Gold = None,
    split: Annotated[
        str,
        typer.Option(
            "--split", metavar="NAME", help="Part of the gold set: train, validation or heldout."
        ),
    ] = "heldout",
    json_lines: Json = False,
) -> None:
    """Measure how far the judge in use agrees with gold; the dataset card quotes it."""
    from synth_dspy.commands.gold import calibrate_judge

    context = loaded(config, overrides, quiet=json_lines)
    calibrate_judge(context, step, file=gold, split=split, json_lines=json_lines)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    gold = typer.Typer(help="Labelled examples, and how far the judge agrees with them.",
                       no_args_is_help=True)  # fmt: skip
    gold.command("check")(gold_check)
    gold.command("export", cls=NamedArguments)(gold_export)
    gold.command("import", cls=NamedArguments)(gold_import)
    gold.command("calibrate")(gold_calibrate)
    app.add_typer(gold, name="gold", rich_help_panel=HEADING)
