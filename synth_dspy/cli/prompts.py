"""Prompts: compile them against gold, and choose which compiled program is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, NamedArguments, Set, loaded

HEADING = "Prompts"


def compile_prompts(
    step: Annotated[
        list[str],
        typer.Option("--step", help="A step with gold, or all. May be repeated.", metavar="NAME"),
    ],
    config: Config = None,
    overrides: Set = None,
    optimizer: Annotated[
        str,
        typer.Option(
            "--optimizer",
            metavar="NAME",
            help="bootstrap, bootstrap_random, mipro, gepa, simba or labeled.",
        ),
    ] = "bootstrap_random",
    demos: Annotated[
        int,
        typer.Option(
            "--demos", metavar="N", min=0, help="Most worked examples; 0: instructions alone."
        ),
    ] = 16,
    writer: Annotated[
        str, typer.Option("--writer", help="Endpoint that writes instructions.", metavar="NAME")
    ] = "",
    budget_calls: Annotated[
        int | None,
        typer.Option("--budget-calls", metavar="N", min=1, help="Most calls to pay for."),
    ] = None,
    budget_usd: Annotated[
        float | None,
        typer.Option("--budget-usd", metavar="USD", min=0, help="Most money to spend."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="In place of the file's seed.")
    ] = None,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Gold of the one step.", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Promote whatever the gate says; it is recorded.")
    ] = False,
    summary: Annotated[
        Path | None, typer.Option("--summary", help="Also write the JSON here.", metavar="FILE")
    ] = None,
    json_lines: Json = False,
) -> None:
    """Optimize steps' prompts on gold; promote those that win on held-out gold."""
    from synth_dspy.commands.compiling import Request, run_compile

    request = Request(
        steps=tuple(step),
        optimizer=optimizer,
        budget_calls=budget_calls,
        budget_usd=budget_usd,
        seed=seed,
        demos=demos,
        writer=writer,
        gold=gold,
        force=force,
        summary=summary,
    )
    raise typer.Exit(run_compile(loaded(config, overrides), request, json_lines=json_lines))


Step = Annotated[str, typer.Argument(metavar="STEP", help="A step, as compile --step calls it.")]
Hash = Annotated[str, typer.Argument(help="The beginning of a program's hash.", metavar="HASH")]


def list_programs(config: Config = None, overrides: Set = None, json_lines: Json = False) -> None:
    """List the compiled programs, and which are in use."""
    from synth_dspy.commands import programs

    programs.list_programs(loaded(config, overrides, quiet=json_lines), json_lines=json_lines)


def show_program(
    step: Step,
    program: Hash = "",
    config: Config = None,
    overrides: Set = None,
    json_lines: Json = False,
) -> None:
    """Show a compiled program, by default the one in use: scores, gate, prompt."""
    from synth_dspy.commands import programs

    context = loaded(config, overrides, quiet=json_lines)
    programs.show_program(context, step, program, json_lines=json_lines)


def diff_programs(
    step: Step,
    before: Hash = "",
    after: Hash = "",
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Compare a program's prompt with the one as written, or two programs' prompts."""
    from synth_dspy.commands import programs

    programs.diff_programs(loaded(config, overrides), step, before, after)


def promote_program(
    step: Step,
    program: Hash,
    config: Config = None,
    overrides: Set = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also one that did not pass the gate; it is recorded.")
    ] = False,
) -> None:
    """Put a compiled program in use."""
    from synth_dspy.commands import programs

    programs.promote_program(loaded(config, overrides), step, program, force=force)


def rollback_program(step: Step, config: Config = None, overrides: Set = None) -> None:
    """Put back the program that was in use before."""
    from synth_dspy.commands import programs

    programs.rollback_program(loaded(config, overrides), step)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("compile", rich_help_panel=HEADING)(compile_prompts)
    programs = typer.Typer(help="Compiled prompts, and which are in use.", no_args_is_help=True)
    app.add_typer(programs, name="programs", rich_help_panel=HEADING)
    programs.command("list")(list_programs)
    programs.command("show", cls=NamedArguments)(show_program)
    programs.command("diff", cls=NamedArguments)(diff_programs)
    programs.command("promote", cls=NamedArguments)(promote_program)
    programs.command("rollback", cls=NamedArguments)(rollback_program)
