"""The cache: what is stored, and clearing it."""

from __future__ import annotations

from typing import Annotated

import typer

from synth_dspy.cli.arguments import Config, Json, Set, loaded

HEADING = "Cache"


def cache_info(config: Config = None, overrides: Set = None, json_lines: Json = False) -> None:
    """Show what is stored: a stage a line, and each source with when it was last processed."""
    from synth_dspy.commands.caching import show_cache

    show_cache(loaded(config, overrides), json_lines=json_lines)


def cache_clear(
    config: Config = None,
    overrides: Set = None,
    stage: Annotated[
        str, typer.Option("--stage", "-s", metavar="NAME", help="One stage only.")
    ] = "",
    replies: Annotated[bool, typer.Option("--replies", help="Models' replies, too.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="The dataset and the report, too: final/ and analysis/.")
    ] = False,
) -> None:
    """Delete finished work; the dataset, the report and paid replies stay unless asked for."""
    from synth_dspy.commands.caching import clear_cache

    clear_cache(loaded(config, overrides), stage=stage, replies=replies, everything=everything)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("cache-info", rich_help_panel=HEADING)(cache_info)
    app.command("cache-clear", rich_help_panel=HEADING)(cache_clear)
