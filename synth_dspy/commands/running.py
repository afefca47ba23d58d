"""pipeline, generate and the stages: runs them and says where things are and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from synth_dspy.commands.again import again, shown
from synth_dspy.commands.context import Context
from synth_dspy.commands.execution import DONE, SHORT, Execution, Options, shortage_lines
from synth_dspy.commands.finishing import Push, push_final
from synth_dspy.config import Config, Role
from synth_dspy.runners.progress import Reporter


def run_pipeline(
    context: Context,
    options: Options,
    *,
    push: Push = Push(),  # noqa: B008 - frozen
    model: str = "",
) -> int:
    """The whole recipe, pushed to the Hub when asked; the exit code.

    Args:
        model: what is said of the model, where flags have chosen it.
    """
    to = push.destination()
    with context.reporter(quiet=options.quiet) as reporter:
        execution = Execution(context.config, reporter, options)
        _introduce(execution.config, reporter, model)
        _tell_prompts(execution, reporter)
        code = execution.pipeline()
        if code in (DONE, SHORT) and execution.ending.records:
            tracked = _track(execution, reporter)
            _conclude(execution, reporter, tracked)
            push_final(replace(context, config=execution.config), reporter, to)
        _tell_shortage(execution, reporter)
    return code


def run_generate(context: Context, options: Options) -> int:
    """plan to classify; the exit code."""
    with context.reporter(quiet=options.quiet) as reporter:
        execution = Execution(context.config, reporter, options)
        _tell_prompts(execution, reporter)
        code = execution.generate()
        _tell_shortage(execution, reporter)
    return code


def run_stage(context: Context, name: str, options: Options) -> int:
    """One stage; the exit code."""
    with context.reporter(quiet=options.quiet) as reporter:
        return Execution(context.config, reporter, options).stage(name)


def _introduce(config: Config, reporter: Reporter, model: str) -> None:
    reporter.say(f"{config.dataset.name}: {config.file} -> {shown(config.output_dir)}")
    if model:
        reporter.say(f"model: {model}")
        return
    models = {role: config.endpoint_for(role) for role in get_args(Role)}
    names = sorted({endpoint.model_name for endpoint in models.values()})
    if names == ["offline"]:
        reporter.say(
            "model: the built-in offline model (extractive; cannot see images). "
            "`models.endpoints` in the configuration names a real one."
        )
    else:
        reporter.say("models: " + ", ".join(f"{r} {e.model_name}" for r, e in models.items()))


def _tell_prompts(execution: Execution, reporter: Reporter) -> None:
    """Which prompts are not those of the code.

    Raises:
        ArtefactError: a promoted program is missing or refused.
    """
    config, resources = execution.config, execution.resources
    if config.prompts:
        steps = ", ".join(config.prompts)
        reporter.say(f"prompts: yours replace the instructions, compiled ones too, of: {steps}")
    for step, artefact in resources.promoted.items():
        told = f"compiled: {step} {artefact.sha256[:12]}"
        if step in resources.compiled:
            meta = artefact.meta
            reporter.say(f"{told} ({meta.get('optimizer')}, compiled for {meta.get('model')})")
        else:
            reporter.say(f"{told} is not used: your prompts replace it")


def _track(execution: Execution, reporter: Reporter) -> str:
    config = execution.config
    if not config.tracking.enabled:
        return ""
    # MLflow takes seconds to import, and only the end of a run needs it.
    from synth_dspy.optimize.tracking import log_run

    return log_run(config, execution.run.path, say=reporter.say)


def _conclude(execution: Execution, reporter: Reporter, tracked: str) -> None:
    config = execution.config
    final, analysis = execution.run.path / "final", execution.run.path / "analysis"
    reporter.say("")
    for line in execution.flow.conclusion(execution.ending):
        reporter.say(line)
    reporter.say("")
    exported = (final / "README.md").exists()  # a recipe need not export
    if exported:
        reporter.say(
            f"dataset   {shown(final)}      datasets.load_from_disk({str(shown(final))!r})"
        )
    if not execution.options.skip_analysis and (analysis / "report.html").exists():
        reporter.say(f"report    {shown(analysis / 'report.html')}")
    if exported:
        reporter.say(f"card      {shown(final / 'README.md')}")
    if tracked:
        reporter.say(f"tracking  mlflow ui --backend-store-uri {tracked}")
    reporter.say(f"next      {again(config, 'inspect --stage ' + execution.flow.last_made.name)}")


def _tell_shortage(execution: Execution, reporter: Reporter) -> None:
    if execution.ending.short:
        reporter.say("")
        reporter.say("The run ended short of its target; everything made is kept.")
        for line in shortage_lines(execution.ending.short, stopped=bool(execution.ending.stopped)):
            reporter.say(line)
