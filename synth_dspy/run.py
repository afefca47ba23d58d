"""The command line: `python -m synth_dspy.run [COMMAND] [--config FILE] [--set key=value]...`

Without a command it runs the whole pipeline on the quickstart. Exit codes: 0 done, 1 the run ended
short of its target with everything kept, 2 the input or the machine is wrong, 130 interrupted.
Arguments are read in `synth_dspy.cli`; what a command does is in `synth_dspy.commands`, imported
when used.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from synth_dspy import __version__
from synth_dspy.cli import (
    caching,
    checking,
    gold,
    looking,
    prompts,
    rows,
    serving,
    stages,
    starting,
    whole,
)
from synth_dspy.cli.arguments import Config, Grouped, Set
from synth_dspy.cli.run_options import Hub, Run, Where
from synth_dspy.errors import SetupError, StoreError, SynthError, UserError
from synth_dspy.terminal import spelled

USER_ERROR = 2


app = typer.Typer(
    cls=Grouped,
    name="synth-dspy",
    help="Turn documents into training data that somebody can trust. Without a command, run "
    "`pipeline`.",
    no_args_is_help=False,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        whole.pipeline(run=Run(config, overrides), hub=Hub(), where=Where())
    elif config or overrides:
        raise typer.BadParameter(
            f"--config and --set come after the command: {ctx.invoked_subcommand} --config FILE"
        )


for _group in (starting, whole, rows, stages, prompts, gold, checking, looking, serving, caching):
    _group.register(app)


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


def _reader_is_gone() -> bool:
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return bool(poll.poll(0))


def main() -> None:
    """Run the command line and end the process with its exit code."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        _refuse_shadows()
        try:
            app()
        except SystemExit as ended:
            if isinstance(ended.__context__, BrokenPipeError) and _reader_is_gone():
                raise ended.__context__ from None  # which typer ends with 1
            if sys.stdout is not None:  # as it is with `>&-`
                sys.stdout.flush()  # here, or the interpreter would stumble over it aloud
            raise
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
    line = spelled(f"Error: {error}")
    if "--log-json" in sys.argv:
        line = json.dumps({"time": time.time(), "event": "error", "message": str(error)})
    typer.echo(line, err=True)
    sys.exit(USER_ERROR)


if __name__ == "__main__":
    main()
