"""Starting: a configuration of one's own, and a look at what it will do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, Set, loaded
from synth_dspy.errors import UserError

HEADING = "Starting"


def init(
    documents: Annotated[
        Path | None,
        typer.Option("--documents", "-d", metavar="PATH", help="Folder or file of your documents."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", metavar="NAME", help="offline, provider/name, or a name at --base-url."
        ),
    ] = "",
    samples: Annotated[
        int | None, typer.Option("--samples", "-n", metavar="N", help="Accepted samples wanted.")
    ] = None,
    base_url: Annotated[
        str,
        typer.Option("--base-url", metavar="URL", help="Address of an OpenAI-compatible server."),
    ] = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The dataset's name.")] = "",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write.", metavar="FILE")
    ] = Path("synth.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a commented configuration for your own documents; asks what no flag says."""
    from synth_dspy.commands.starting import Answers, write_config

    asks = sys.stdin.isatty()
    if documents is None:
        if not asks:
            raise UserError("init needs --documents FOLDER where nobody can be asked.")
        documents = Path(typer.prompt("Where are your documents?", default="docs"))
    if not model:
        hint = "Which model? (offline, openai/..., gemini/..., anthropic/..., a name with base-url)"
        model = typer.prompt(hint, default="offline") if asks else "offline"
    if samples is None:
        samples = typer.prompt("How many samples?", default=100, type=int) if asks else 100
    write_config(Answers(documents, model, samples, base_url, name), output, force=force)


def preview(
    config: Config = None,
    overrides: Set = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, help="How many records.")
    ] = 3,
    full: Annotated[bool, typer.Option("--full", help="Whole prompts and replies.")] = False,
    json_lines: Json = False,
) -> None:
    """Take a few records through every step, and show prompts, replies and verdicts."""
    from synth_dspy.commands.previewing import run_preview

    context = loaded(config, overrides, quiet=json_lines)
    raise typer.Exit(run_preview(context, count=count, full=full, json_lines=json_lines))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel=HEADING)(init)
    app.command(rich_help_panel=HEADING)(preview)
