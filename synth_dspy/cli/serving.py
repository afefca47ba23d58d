"""serve, and the content that it samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, Set, loaded

HEADING = "Serving"


def serve(
    config: Config = None,
    overrides: Set = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen at; another than loopback needs routing.serving.api_key.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0 takes a free one."),
    ] = None,
) -> None:
    """Serve examples for routing optimizers over REST."""
    from synth_dspy.commands.serving import run_server

    run_server(config, overrides or (), host=host, port=port)


def content_load(
    config: Config = None,
    overrides: Set = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="DuckDB file to write.", metavar="FILE")
    ] = Path("content.duckdb"),
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="NAME", help="Whose content it is.")
    ] = "default",
    json_lines: Json = False,
) -> None:
    """Make a content backend of the documents that `parse` read."""
    from synth_dspy.commands.content import load_content

    context = loaded(config, overrides, quiet=json_lines)
    load_content(context, output, tenant=tenant, json_lines=json_lines)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel=HEADING)(serve)
    content = typer.Typer(help="Content backends, for routing.", no_args_is_help=True)
    content.command("load")(content_load)
    app.add_typer(content, name="content", rich_help_panel=HEADING)
