"""export and analyze with options of their own: forms of the rows, the Hub, other places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from synth_dspy.commands.context import Context
from synth_dspy.commands.execution import DONE, Execution, Options
from synth_dspy.config import environment
from synth_dspy.dataset.chat import CHAT_FORMATS
from synth_dspy.dataset.hub import Destination, destination, push_analysis, push_dataset
from synth_dspy.errors import UserError
from synth_dspy.recipes.assistant_flow import AssistantFlow
from synth_dspy.runners.progress import Reporter
from synth_dspy.stages.analyze import Analyze, Show, SourceOfSamples
from synth_dspy.stages.export import Export


@dataclass(frozen=True, slots=True)
class Push:
    """What `--hub-id` and `--hub-private` say; "" pushes nothing."""

    hub_id: str = ""
    private: bool = False

    def destination(self) -> Destination | None:
        """Where to; checked before anything is made.

        Raises:
            UserError: the id is not one, or there is no token.
        """
        if not self.hub_id:
            return None
        return destination(self.hub_id, environment(), private=self.private)


def run_export(
    context: Context, options: Options, *, chat_formats: Sequence[str], push: Push, analyze: bool
) -> int:
    """Export, analyse when asked, push when asked; the exit code.

    Raises:
        UserError: a format is unknown, or the dataset cannot be pushed for want of a token.
        SetupError: the Hub did not take it.
    """
    to = push.destination()
    context = with_chat_formats(context, chat_formats)
    with context.reporter(quiet=options.quiet) as reporter:
        for name in (Export.name, *((Analyze.name,) if analyze else ())):
            code = Execution(context.config, reporter, options).stage(name)
            if code != DONE:
                return code
        push_final(context, reporter, to)
    return DONE


def run_analyze(
    context: Context,
    options: Options,
    *,
    source: str,
    output: Path | None,
    plots: bool,
    allocation: bool,
    pipeline: bool,
    push: Push,
) -> int:
    """Analyse samples of `source` into `output`; the exit code.

    Raises:
        UserError: the source is unknown, or there is no token to push with.
        StageError: the source has not been made.
    """
    if source not in get_args(SourceOfSamples):
        known = ", ".join(get_args(SourceOfSamples))
        raise UserError(f"--source {source!r}: samples come from one of {known}.")
    to, show = push.destination(), Show(plots, allocation, pipeline)
    with context.reporter(quiet=options.quiet) as reporter:
        execution = Execution(context.config, reporter, options)
        if source == "splits" and output is None and show == Show():
            code = execution.stage(Analyze.name)
            folder = execution.run.folder(Analyze.folder)
        else:
            folder = output or execution.run.folder(Analyze.folder)
            code = execution.other([Analyze], lambda: _analysis(execution, source, folder, show))
            reporter.say(f"analysis  {folder}")
        if code == DONE and to is not None:
            reporter.say(f"pushed    {push_analysis(folder, to)}/tree/main/analysis")
    return code


def _analysis(execution: Execution, source: str, folder: Path, show: Show) -> None:
    flow = execution.flow
    if not isinstance(flow, AssistantFlow):
        raise UserError(
            f"The recipe {execution.config.recipe!r} has one analysis: run `analyze` without "
            "--source, --output, --no-plots, --no-allocation and --no-pipeline."
        )
    flow.analysis(source, folder, show)


def with_chat_formats(context: Context, names: Sequence[str]) -> Context:
    """The configuration with these formats added to `dataset.chat_formats`.

    Raises:
        UserError: a format is unknown.
    """
    unknown = [name for name in names if name not in CHAT_FORMATS]
    if unknown:
        known = ", ".join(CHAT_FORMATS)
        raise UserError(f"--chat-format {unknown[0]!r}: the formats are {known}.")
    dataset = context.config.dataset
    wanted: dict[str, Any] = {"chat_formats": tuple(dict.fromkeys((*dataset.chat_formats, *names)))}
    config = context.config.model_copy(update={"dataset": dataset.model_copy(update=wanted)})
    return replace(context, config=config)


def push_final(context: Context, reporter: Reporter, to: Destination | None) -> None:
    """Push the exported dataset, and say where it is.

    Raises:
        SetupError: the Hub did not take it.
    """
    if to is not None:
        final = context.run.folder(Export.folder)
        reporter.say(f"pushed    {push_dataset(final, to)}")
