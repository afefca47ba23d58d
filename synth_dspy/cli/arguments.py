"""Options that several commands share, and how `--help` lists commands. Imports typer alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

if TYPE_CHECKING:
    from synth_dspy.commands.context import Context


class Grouped(typer.core.TyperGroup):
    """Lists commands under their headings. Rich's panels would take three times the start."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one list a heading, in the order of definition."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            panel = getattr(command, "rich_help_panel", None)
            heading = panel if isinstance(panel, str) else "Commands"
            if command is not None and not command.hidden:
                panels.setdefault(heading, []).append((name, command.get_short_help_str(90)))
        for heading, rows in panels.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


class NamedArguments(typer.core.TyperCommand):
    """Lists arguments by their names alone; typer adds the type, as `<str>`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options."""
        lists: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and param.param_type_name == "argument":
                lists["Arguments"].append((record[0].partition(" ")[0], record[1]))
            elif record is not None:
                lists["Options"].append(record)
        for heading, rows in lists.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="YAML of the run; without it, the quickstart's.", metavar="FILE"
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Replace one setting: dotted.key=value. May be repeated.", metavar="KEY=VALUE"
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Do finished work again. It is replaced, and kept as *.old, only once a stage has "
        "ended; the models' replies are kept as replies.sqlite.N.",
    ),
]
ClearCache = Annotated[
    bool, typer.Option("--clear-cache", help="First delete what these stages finished before.")
]
RetryFailed = Annotated[
    bool,
    typer.Option("--retry-failed", help="Try again what was given up, as after no answer."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Also report retries, pauses and repairs.")
]
LogJson = Annotated[
    bool, typer.Option("--log-json", help="Report progress as JSON lines, for log collectors.")
]
NoTrace = Annotated[
    bool, typer.Option("--no-trace", help="Keep no prompts and replies in traces/.")
]
Runner = Annotated[
    str,
    typer.Option(
        "--runner", metavar="NAME", help="What runs the stages: local, or ray (an extra)."
    ),
]
RayAddress = Annotated[
    str,
    typer.Option(
        "--ray-address",
        help="With --runner ray: a cluster to join; without it Ray is started here.",
        metavar="HOST:PORT",
    ),
]
RayWorkers = Annotated[
    int | None,
    typer.Option(
        "--ray-workers",
        metavar="N",
        min=1,
        help="With --runner ray: workers; without it one a processor.",
    ),
]
HubId = Annotated[
    str,
    typer.Option("--hub-id", help="Push to this repository of the Hub.", metavar="OWNER/NAME"),
]
HubPrivate = Annotated[bool, typer.Option("--hub-private", help="Make a new repository private.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]


def loaded(
    config: Path | None,
    overrides: list[str] | None,
    *,
    quiet: bool = False,
    verbose: bool = False,
    log_json: bool = False,
) -> Context:
    """The configuration and a console."""
    from synth_dspy.commands.context import Context

    return Context.load(config, overrides or (), quiet=quiet, verbose=verbose, log_json=log_json)
