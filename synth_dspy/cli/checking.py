"""Checking: datasets, configurations, the machine, the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, NamedArguments, Set, loaded

HEADING = "Checking"


def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSONL of programs and tests; .gz is read, too.")
    ],
    config: Config = None,
    overrides: Set = None,
    json_lines: Json = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds for one test.")] = 10.0,
    prompt: Annotated[str, typer.Option(metavar="NAME", help="Column of the prompt.")] = "prompt",
    solution: Annotated[
        str, typer.Option(metavar="NAME", help="Column of the solution; found when empty.")
    ] = "",
    test: Annotated[
        str, typer.Option(metavar="NAME", help="Column of the test; found when empty.")
    ] = "",
    entry_point: Annotated[
        str, typer.Option(metavar="NAME", help="Column of the name.")
    ] = "entry_point",
    stubs: Annotated[
        bool, typer.Option("--stubs", help="Try passing tests on solutions that do nothing.")
    ] = False,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Try passing tests on solutions with one fault.")
    ] = False,
    max_mutants: Annotated[
        int, typer.Option(metavar="N", min=1, help="Mutants of one solution.")
    ] = 20,
) -> None:
    """Run the tests of any dataset in the sandbox; exit code 1 when one fails."""
    from synth_dspy.commands.verifying import Measuring, verify_file

    context = loaded(config, overrides)
    columns = {"prompt": prompt, "solution": solution, "test": test, "entry_point": entry_point}
    measuring = Measuring(stubs, max_mutants if mutants else 0)
    raise typer.Exit(
        verify_file(
            context, file, columns=columns, timeout_s=timeout, json_lines=json_lines,
            measuring=measuring,
        )
    )  # fmt: skip


def sandbox_build(
    config: Config = None,
    overrides: Set = None,
    base: Annotated[
        str, typer.Option("--base", metavar="IMAGE", help="Base image with Python 3.11 or newer.")
    ] = "",
) -> None:
    """Build the image of a configuration, and its base where no registry answers."""
    from synth_dspy.commands.boxes import build

    build(loaded(config, overrides), base=base)


def sandbox_gc(
    everything: Annotated[
        bool, typer.Option("--all", help="Every image, not only superseded ones.")
    ] = False,
) -> None:
    """Remove the images of older versions, and containers that have ended."""
    from synth_dspy.commands.boxes import collect

    collect(everything=everything)


def validate_config(
    config: Config = None,
    overrides: Set = None,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask each endpoint once, to see that it answers.")
    ] = False,
) -> None:
    """Check a configuration, and print what a run with it would do."""
    from synth_dspy.commands.checking import validate

    raise typer.Exit(validate(loaded(config, overrides), online=online))


def doctor(json_lines: Json = False) -> None:
    """Say which sandboxes work here and really enforce limits, and what to install."""
    from synth_dspy.commands.checking import doctor as check

    raise typer.Exit(check(json_lines=json_lines))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel=HEADING, cls=NamedArguments)(verify)
    boxes = typer.Typer(help="The images that code is run in.", no_args_is_help=True)
    boxes.command("build")(sandbox_build)
    boxes.command("gc")(sandbox_gc)
    app.add_typer(boxes, name="sandbox", rich_help_panel=HEADING)
    app.command("validate-config", rich_help_panel=HEADING)(validate_config)
    app.command(rich_help_panel=HEADING)(doctor)
