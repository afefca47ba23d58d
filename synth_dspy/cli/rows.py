"""rows: training rows from a query or from documents, with everything said on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from synth_dspy.cli.run_options import Hub, Work
from synth_dspy.cli.unfolding import unfolded

HEADING = "Whole runs"

_WHAT, _HOW_MANY, _MODEL, _FILES, _RUN = (
    "What the rows are made from", "Format and number", "Model", "Files", "Run",
)  # fmt: skip
_FORMATS = "pair-class, pair-score, pair, triplet or qa."


class GroupedOptions(typer.core.TyperCommand):
    """Lists options under their headings, and takes both dashes and underscores in their names."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one list a heading, in the order of definition."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                heading = getattr(param, "rich_help_panel", None) or _RUN
                panels.setdefault(heading, []).append(record)
        for heading, rows in panels.items():
            with formatter.section(heading):
                formatter.write_dl(rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read `--top_p` as `--top-p`."""
        ended = args.index("--") if "--" in args else len(args)
        plain = [_dashed(one) if at < ended else one for at, one in enumerate(args)]
        parsed: list[str] = super().parse_args(ctx, plain)
        return parsed


def _dashed(argument: str) -> str:
    name, equals, value = argument.partition("=")
    if not name.startswith("--"):
        return argument
    return f"{name.replace('_', '-')}{equals}{value}"


def rows(
    *,
    also: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", metavar="TEXT", help="What the rows are to be about.", rich_help_panel=_WHAT
        ),
    ] = None,
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="PATH",
            help="Folder or file that they are made from.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    loader: Annotated[
        str | None,
        typer.Option(
            "--loader",
            help="What loads them: a class whose load() yields objects with page_content; "
            "--documents is its argument.",
            metavar="MODULE:CLASS",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    no_refine: Annotated[
        bool,
        typer.Option("--no-refine", help="Take the query as it is typed.", rich_help_panel=_WHAT),
    ] = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help=_FORMATS, rich_help_panel=_HOW_MANY),
    ] = None,
    custom_format_file: Annotated[
        str | None,
        typer.Option(
            "--custom-format-file",
            metavar="FILE",
            help="A format of your own: JSON, JSON Schema, or module:Model.",
            rich_help_panel=_HOW_MANY,
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples", metavar="N", min=1, help="Unique rows (50).", rich_help_panel=_HOW_MANY
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            min=1,
            max=500,
            help="Most rows of one call (25).",
            rich_help_panel=_HOW_MANY,
        ),
    ] = None,
    max_retries: Annotated[
        int | None,
        typer.Option(
            "--max-retries",
            metavar="N",
            min=0,
            help="How often a batch or a request is tried again (5).",
            rich_help_panel=_HOW_MANY,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="offline, provider/name, or a name at --base-url. Without it: the --config's, "
            "else Gemini where GOOGLE_API_KEY is set, else offline.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="Address of an OpenAI-compatible server; its key is OPENAI_API_KEY.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            metavar="X",
            min=0,
            max=2,
            help="Of sampling (0.4).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            "--top-p",
            metavar="X",
            min=0,
            max=1,
            help="Nucleus sampling (0.95).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            metavar="N",
            min=1,
            help="Sample from the k likeliest tokens.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    output_prefix: Annotated[
        str | None,
        typer.Option(
            "--output-prefix",
            metavar="PATH",
            help="Start of the files' names (synthetic_data).",
            rich_help_panel=_FILES,
        ),
    ] = None,
    output_format: Annotated[
        list[str] | None,
        typer.Option(
            "--output-format",
            metavar="NAME...",
            help="jsonl, csv, parquet or all; several may follow (all).",
            rich_help_panel=_FILES,
        ),
    ] = None,
    incremental_save: Annotated[
        bool,
        typer.Option(
            "--incremental-save",
            help="Write JSONL and CSV while rows are accepted.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    work: Work,
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR.")
    ] = "INFO",
    skip_analysis: Annotated[
        bool, typer.Option("--skip-analysis", help="No plots and no report.")
    ] = False,
    hub: Hub,
) -> None:
    """Make unique rows of one format from a query or from documents."""
    from synth_dspy.commands.rows import Asked, run_rows

    asked = Asked(
        query=query,
        documents=documents,
        loader=loader,
        refine=not no_refine,
        format=format_,
        custom_format_file=custom_format_file,
        samples=samples,
        batch_size=batch_size,
        max_retries=max_retries,
        model=model,
        base_url=base_url,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        output_prefix=output_prefix,
        output_format=(*(output_format or ()), *(also or ())),
        incremental_save=incremental_save,
        log_level=log_level,
    )
    options = work.options(skip_analysis=skip_analysis)
    raise typer.Exit(run_rows(asked, work.config, work.overrides or (), options, push=hub.push()))


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(rich_help_panel=HEADING, cls=GroupedOptions)(unfolded(rows))
