"""validate-config, doctor and info: what is asked for, and what this machine can do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from sandbox import doctor as probe
from sandbox import open_sandbox
from synth_dspy import __version__
from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.config import Config, Role
from synth_dspy.recipes.assistant import allocation_options
from synth_dspy.recipes.registry import flow_of
from synth_dspy.sources.listing import source_files
from synth_dspy.stages.allocation import targets


def validate(context: Context) -> None:
    """Say what a valid configuration comes to: files, cells, models.

    Raises:
        SourceError: a source is not there, or holds no document.
    """
    config = context.config
    flow_of(config.recipe).check(config, ())
    files, skipped = source_files(config)
    show(f"{config.file}: valid")
    show(f"  sources     {len(files)} files, {len(skipped)} passed over")
    for (kind, modality), count in sorted(targets(allocation_options(config)).items()):
        show(f"  wanted      {count:>5} {kind} ({modality})")
    for role in get_args(Role):
        endpoint = config.endpoint_for(role)
        show(f"  {role:<11} {endpoint.model_name} ({endpoint.base_url or 'built in'})")
    show(f"  sandbox     {config.sandbox.backend}")
    show(f"  output_dir  {config.output_dir}")


def info(context: Context, *, json_lines: bool, prompts: bool) -> None:
    """Print version, stages, models and settings; with `prompts` what each step really sends.

    Raises:
        ConfigError: `prompts` names no step, or has template placeholders.
    """
    config = context.config
    facts: dict[str, Any] = {
        "version": __version__,
        "config": str(config.file or ""),
        "output_dir": str(config.output_dir),
        "stages": [stage.name for stage in flow_of(config.recipe).stages],
        "models": {role: config.endpoint_for(role).model_name for role in get_args(Role)},
        "settings": config.redacted(),
    }
    if prompts:
        facts["prompts"] = _prompts(config)
    if json_lines:
        print_json(facts)
        return
    show(f"synth-dspy {__version__}")
    show(f"config      {facts['config']}")
    show(f"run         {facts['output_dir']}")
    show("stages      " + " -> ".join(facts["stages"]))
    for role, model in facts["models"].items():
        show(f"{role:<11} {model}")
    for step, sent in facts.get("prompts", {}).items():
        own = "; instructions from prompts." + step if sent["replaced"] == "true" else ""
        show(f"\n{'=' * 78}\n[{step}] {sent['role']} {sent['model']}{own}")
        show(f"--- system\n{sent['system']}\n--- user\n{sent['user']}")


def _prompts(config: Config) -> dict[str, dict[str, str]]:
    """By step: which model is asked, and both messages as they are sent."""
    # DSPy takes a second to import, and only this flag needs it.
    from synth_dspy.lm.adapter import SynthAdapter
    from synth_dspy.programs.answers import Verification
    from synth_dspy.programs.assistant import AssistantProgram
    from synth_dspy.recipes.resources import LazySandbox

    program = AssistantProgram(
        LazySandbox(open_sandbox), verification=Verification(), categories={}
    )
    program.replace_instructions(config.prompts)
    return {
        step.step: {
            "role": step.role,
            "model": config.endpoint_for(step.role).model_name,
            "replaced": str(step.step in config.prompts).lower(),
            "instructions": step.instructions,
            "system": step.system,
            "user": step.user,
        }
        for step in program.shown(SynthAdapter())
    }


def doctor(*, json_lines: bool) -> int:
    """Probe every sandbox backend; 0 when one can be used, 1 when none."""
    reports = probe()
    usable = [r for r in reports if r.available and r.backend != "process"]
    if json_lines:
        print_json(
            {"usable": [r.backend for r in usable], "backends": [asdict(r) for r in reports]}
        )
        return 0 if usable else 1
    for report in reports:
        state = "works" if report.available else "does not work here"
        show(f"{report.backend:<8} {state}: {report.detail}")
        if report.available:
            enforced = ", ".join(f"{k} {'yes' if v else 'NO'}" for k, v in report.enforces.items())
            milliseconds = report.seconds_per_verification * 1000
            show(f"         enforces: {enforced}; {milliseconds:.1f} ms a verification")
    return 0 if usable else 1
