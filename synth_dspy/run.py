"""The command line: `python -m synth_dspy.run [COMMAND] [--config FILE] [--set key=value]...`

Without a command it runs the whole pipeline on the quickstart. Exit codes: 0 done, 1 the run ended
short of its target with everything kept, 2 the input or the machine is wrong, 130 interrupted.
Only arguments are read here; what a command does is in `synth_dspy.commands`, imported when used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_dspy import __version__
from synth_dspy.commands.arguments import (
    Config,
    Grouped,
    HubId,
    HubPrivate,
    Json,
    NoCache,
    NoTrace,
    Quiet,
    Runner,
    Set,
)
from synth_dspy.errors import SetupError, StoreError, SynthError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.commands.context import Context

USER_ERROR = 2


app = typer.Typer(
    cls=Grouped,
    name="synth-dspy",
    help="Turn documents into training data that somebody can trust.",
    no_args_is_help=False,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_WHOLE, _STAGES, _CHECK, _LOOK = "Whole runs", "Stages", "Checking", "Looking"


@app.callback(invoke_without_command=True)
def _default(
    ctx: typer.Context,
    config: Config = None,
    overrides: Set = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"synth-dspy {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        pipeline(config=config, overrides=overrides)
    elif config or overrides:
        raise typer.BadParameter(
            f"--config and --set come after the command: {ctx.invoked_subcommand} --config FILE"
        )


def _context(config: Path | None, overrides: list[str] | None, *, quiet: bool = False) -> Context:
    from synth_dspy.commands.context import Context

    return Context.load(config, overrides or (), quiet=quiet)


@app.command(rich_help_panel=_WHOLE)
def pipeline(
    config: Config = None,
    overrides: Set = None,
    trial: Annotated[
        bool, typer.Option("--trial", help="A small sample, in a directory of its own.")
    ] = False,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
    skip_analysis: Annotated[
        bool, typer.Option("--skip-analysis", help="End with the dataset: no plots, no report.")
    ] = False,
    hub_id: HubId = "",
    hub_private: HubPrivate = False,
    runner: Runner = "local",
) -> None:
    """Run every stage: documents in, a dataset and a report out."""
    from synth_dspy.commands.finishing import Push
    from synth_dspy.commands.running import run_pipeline

    _check_runner(runner)
    context = _context(config, overrides, quiet=quiet)
    raise typer.Exit(
        run_pipeline(
            context,
            trial=trial,
            no_cache=no_cache,
            quiet=quiet,
            trace=not no_trace,
            skip_analysis=skip_analysis,
            push=Push(hub_id, hub_private),
        )
    )


@app.command(rich_help_panel=_WHOLE)
def generate(
    config: Config = None,
    overrides: Set = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
    runner: Runner = "local",
) -> None:
    """Run plan to classify on the chunks that filter-chunks kept, until the quotas are met."""
    from synth_dspy.commands.running import run_generate

    _check_runner(runner)
    context = _context(config, overrides, quiet=quiet)
    raise typer.Exit(run_generate(context, no_cache=no_cache, quiet=quiet, trace=not no_trace))


def _check_runner(runner: str) -> None:
    if runner != "local":
        raise UserError(f"--runner {runner!r}: this version has one runner, local.")


_STAGE_HELP = {
    "parse": "Read the sources' documents and store their images.",
    "transcribe": "Describe images.",
    "filter-images": "Take images out that teach nothing.",
    "chunk": "Divide documents into passages.",
    "filter-chunks": "Drop passages that teach nothing.",
    "plan": "Allocate tasks, and write questions and tests.",
    "filter-candidates": "Drop questions that are not worth an answer.",
    "answer": "Write answers, run their tests, correct them.",
    "curate": "Judge finished samples.",
    "classify": "Sort samples into the categories.",
    "build": "Commit, deduplicate and split.",
    "export": "Write the Hugging Face dataset and its card.",
    "analyze": "Write statistics, plots and the report.",
}


def _stage_command(name: str) -> Callable[..., None]:
    def command(
        config: Config = None,
        overrides: Set = None,
        no_cache: NoCache = False,
        quiet: Quiet = False,
        no_trace: NoTrace = False,
    ) -> None:
        from synth_dspy.commands.running import run_stage

        context = _context(config, overrides, quiet=quiet)
        raise typer.Exit(
            run_stage(context, name, no_cache=no_cache, quiet=quiet, trace=not no_trace)
        )

    command.__doc__ = _STAGE_HELP[name]
    return command


for _name in _STAGE_HELP:
    if _name != "plan":
        app.command(_name, rich_help_panel=_STAGES)(_stage_command(_name))


@app.command(rich_help_panel=_STAGES)
def plan(
    config: Config = None,
    overrides: Set = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what the run would ask and cost.")
    ] = False,
    json_lines: Json = False,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
) -> None:
    """Allocate tasks, and write questions and tests."""
    if not estimate:
        _stage_command("plan")(config, overrides, no_cache, quiet, no_trace)
    from synth_dspy.commands.planning import print_estimate

    print_estimate(_context(config, overrides, quiet=json_lines), json_lines=json_lines)


@app.command(help=_STAGE_HELP["export"], rich_help_panel=_STAGES)
def export(
    config: Config = None,
    overrides: Set = None,
    chat_format: Annotated[
        list[str] | None,
        typer.Option(
            "--chat-format",
            help="Also write conversations: messages, sharegpt or ms-swift. May be repeated.",
        ),
    ] = None,
    hub_id: HubId = "",
    hub_private: HubPrivate = False,
    analyze_too: Annotated[
        bool, typer.Option("--analyze", help="Then write statistics, plots and the report.")
    ] = False,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
) -> None:
    """Write the dataset in the forms asked for, and push it where asked."""
    from synth_dspy.commands.execution import Options
    from synth_dspy.commands.finishing import Push, run_export

    context = _context(config, overrides, quiet=quiet)
    raise typer.Exit(
        run_export(
            context,
            Options(no_cache=no_cache, quiet=quiet, trace=not no_trace),
            chat_formats=chat_format or (),
            push=Push(hub_id, hub_private),
            analyze=analyze_too,
        )
    )


@app.command(help=_STAGE_HELP["analyze"], rich_help_panel=_STAGES)
def analyze(
    config: Config = None,
    overrides: Set = None,
    source: Annotated[
        str, typer.Option("--source", help="Samples of: splits, generated or final.")
    ] = "splits",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to.", metavar="DIR")
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Plots and the report, or figures alone.")
    ] = True,
    allocation: Annotated[
        bool, typer.Option("--allocation/--no-allocation", help="How passages were used.")
    ] = True,
    pipeline_too: Annotated[
        bool, typer.Option("--pipeline/--no-pipeline", help="What the stages dropped and cost.")
    ] = True,
    hub_id: HubId = "",
    no_cache: NoCache = False,
    quiet: Quiet = False,
    no_trace: NoTrace = False,
) -> None:
    """Write the analysis of samples, and push it where asked."""
    from synth_dspy.commands.execution import Options
    from synth_dspy.commands.finishing import Push, run_analyze

    context = _context(config, overrides, quiet=quiet)
    raise typer.Exit(
        run_analyze(
            context,
            Options(no_cache=no_cache, quiet=quiet, trace=not no_trace),
            source=source,
            output=output,
            plots=plots,
            allocation=allocation,
            pipeline=pipeline_too,
            push=Push(hub_id),
        )
    )


@app.command(rich_help_panel=_CHECK)
def verify(
    file: Annotated[Path, typer.Argument(help="JSONL of programs and tests; .gz is read, too.")],
    config: Config = None,
    overrides: Set = None,
    json_lines: Json = False,
    timeout: Annotated[float, typer.Option(help="Seconds for one test.")] = 10.0,
    prompt: Annotated[str, typer.Option(help="Column of the prompt.")] = "prompt",
    solution: Annotated[str, typer.Option(help="Column of the solution; found when empty.")] = "",
    test: Annotated[str, typer.Option(help="Column of the test; found when empty.")] = "",
    entry_point: Annotated[str, typer.Option(help="Column of the name.")] = "entry_point",
    stubs: Annotated[
        bool, typer.Option("--stubs", help="Try passing tests on solutions that do nothing.")
    ] = False,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Try passing tests on solutions with one fault.")
    ] = False,
    max_mutants: Annotated[int, typer.Option(min=1, help="Mutants of one solution.")] = 20,
) -> None:
    """Run the tests of any dataset in the sandbox; exit code 1 when one fails."""
    from synth_dspy.commands.verifying import Measuring, verify_file

    context = _context(config, overrides)
    columns = {"prompt": prompt, "solution": solution, "test": test, "entry_point": entry_point}
    measuring = Measuring(stubs, max_mutants if mutants else 0)
    raise typer.Exit(
        verify_file(
            context, file, columns=columns, timeout_s=timeout, json_lines=json_lines,
            measuring=measuring,
        )
    )  # fmt: skip


boxes = typer.Typer(help="The images that code is run in.", no_args_is_help=True)
app.add_typer(boxes, name="sandbox", rich_help_panel=_CHECK)


@boxes.command("build")
def sandbox_build(
    config: Config = None,
    overrides: Set = None,
    base: Annotated[str, typer.Option("--base", help="Base image with Python 3.11 or newer.")] = "",
) -> None:
    """Build the image of a configuration, and its base where no registry answers."""
    from synth_dspy.commands.boxes import build

    build(_context(config, overrides), base=base)


@boxes.command("gc")
def sandbox_gc(
    everything: Annotated[
        bool, typer.Option("--all", help="Every image, not only superseded ones.")
    ] = False,
) -> None:
    """Remove the images of older versions, and containers that have ended."""
    from synth_dspy.commands.boxes import collect

    collect(everything=everything)


@app.command("validate-config", rich_help_panel=_CHECK)
def validate_config(config: Config = None, overrides: Set = None) -> None:
    """Check a configuration and say what it comes to."""
    from synth_dspy.commands.checking import validate

    validate(_context(config, overrides))


@app.command(rich_help_panel=_CHECK)
def doctor(json_lines: Json = False) -> None:
    """Say which sandboxes work here and really enforce limits, and what to install."""
    from synth_dspy.commands.checking import doctor as check

    raise typer.Exit(check(json_lines=json_lines))


@app.command(rich_help_panel=_LOOK)
def info(
    config: Config = None,
    overrides: Set = None,
    json_lines: Json = False,
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what each step sends.")] = False,
) -> None:
    """Show the run's settings, stages and models."""
    from synth_dspy.commands.checking import info as show

    show(_context(config, overrides), json_lines=json_lines, prompts=prompts)


@app.command(rich_help_panel=_LOOK)
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
        _context(config, overrides), stage, count=None if json_lines and count == 3 else count,
        random=random, dropped=dropped, failed=failed, json_lines=json_lines,
    )  # fmt: skip


@app.command("inspect-traces", rich_help_panel=_LOOK)
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
        _context(config, overrides), stage=stage, failed=failed, count=count, index=index,
        full=full, json_lines=json_lines,
    )  # fmt: skip


@app.command(rich_help_panel=_LOOK)
def stats(config: Config = None, overrides: Set = None, json_lines: Json = False) -> None:
    """Print the numbers of a run: stages, drops, samples, cost."""
    from synth_dspy.commands.looking import print_stats

    print_stats(_context(config, overrides), json_lines=json_lines)


@app.command("cache-info", rich_help_panel=_LOOK)
def cache_info(config: Config = None, overrides: Set = None, json_lines: Json = False) -> None:
    """Show what is stored: a stage a line, with entries, size and age."""
    from synth_dspy.commands.caching import show_cache

    show_cache(_context(config, overrides), json_lines=json_lines)


@app.command("cache-clear", rich_help_panel=_LOOK)
def cache_clear(
    config: Config = None,
    overrides: Set = None,
    stage: Annotated[str, typer.Option("--stage", "-s", help="One stage only.")] = "",
    replies: Annotated[bool, typer.Option("--replies", help="Models' replies, too.")] = False,
) -> None:
    """Delete finished work; models' replies are kept unless asked for."""
    from synth_dspy.commands.caching import clear_cache

    clear_cache(_context(config, overrides), stage=stage, replies=replies)


def _refuse_shadows() -> None:
    """Notice a user's own `sandbox.py` or `signatures/` that would be imported in place of ours.

    Raises:
        UserError: there is one; the text names it.
    """
    from importlib.util import find_spec

    home = Path(__file__).resolve().parent.parent
    for name in ("sandbox", "signatures"):
        spec = find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is not None and found.parent.parent != home:
            raise UserError(
                f"{found} stands in the way of synth-dspy's own package `{name}`. "
                "Rename it, or run from another folder."
            )


def main() -> None:
    """Run the command line and end the process with its exit code."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        _refuse_shadows()
        app()
    except (UserError, SetupError, StoreError) as error:
        _fail(error)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Everything finished is kept.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe (head, less) went away: not a fault, and nothing more to print.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _fail(error: SynthError) -> None:
    typer.echo(f"Error: {error}", err=True)
    sys.exit(USER_ERROR)


if __name__ == "__main__":
    main()
