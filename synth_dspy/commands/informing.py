"""info: what a run is told, what each step sends, and every setting there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from synth_dspy import __version__
from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.config import Config, Role
from synth_dspy.config.settings import describe_settings
from synth_dspy.errors import UserError
from synth_dspy.recipes.registry import flow_of

_SHOWN = 70
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_ANY = [{"path": "-"}]


def info(context: Context, *, json_lines: bool, prompts: bool, step: str) -> None:
    """Print version, stages, models and settings; with `prompts` what each step really sends.

    Args:
        step: the only one whose prompt is printed; "" prints all.

    Raises:
        ConfigError: `prompts` names no step, or has template placeholders.
        UserError: there is no step of that name.
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
    if prompts or step:
        facts["prompts"] = _of_step(_prompts(config), step)
    if json_lines:
        print_json(facts)
        return
    show(f"synth-dspy {__version__}")
    show(f"config      {facts['config']}")
    show(f"run         {facts['output_dir']}")
    show("stages      " + " -> ".join(facts["stages"]))
    for role, model in facts["models"].items():
        show(f"{role:<11} {model}")
    for changed in _changed(config):
        show(f"setting     {changed}")
    for name, sent in facts.get("prompts", {}).items():
        own = "; instructions from prompts." + name if sent["replaced"] == "true" else ""
        show(f"\n{'=' * 78}\n[{name}] {sent['role']} {sent['model']}{own}")
        show(f"--- system\n{sent['system']}\n--- user\n{sent['user']}")


def _prompts(config: Config) -> dict[str, dict[str, str]]:
    """By step: which model is asked, and both messages as they are sent."""
    # DSPy takes a second to import, and only this flag needs it.
    from synth_dspy.lm.adapter import SynthAdapter
    from synth_dspy.programs.promotions import not_replaced, promoted_programs
    from synth_dspy.recipes.programs import unbound_program

    program = unbound_program(config.recipe)
    compiled = not_replaced(promoted_programs(config.recipe), config.prompts)
    program.use_compiled(compiled.values())
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


def _of_step(sent: dict[str, dict[str, str]], step: str) -> dict[str, dict[str, str]]:
    if not step:
        return sent
    if step not in sent:
        near = difflib.get_close_matches(step, sent, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(
            f"--step {step!r}: there is no such step.{hint} Steps are: {', '.join(sent)}."
        )
    return {step: sent[step]}


def _changed(config: Config) -> Iterator[str]:
    """The settings that differ from their defaults, `key = value`, long values cut."""
    bare = {"recipe": config.recipe, "dataset": {"name": config.dataset.name}, "sources": _ANY}
    defaults = dict(_flat(Config.model_validate(bare).redacted()))
    for key, value in _flat(config.redacted()):
        if value != defaults.get(key) and value not in _NOTHING:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield f"{key} = {text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}"


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for index, item in enumerate(value):
                yield from _flat(item, f"{prefix}{name}.{index}.")
        else:
            yield f"{prefix}{name}", value


def settings_table() -> Iterator[str]:
    """Every setting as a row of a Markdown table, taken from the models themselves."""
    yield "| setting | type | default | what it does |"
    yield "|---|---|---|---|"
    for one in describe_settings():
        cells = (
            f"`{one.key}`",
            one.type,
            f"`{one.default}`" if one.default else "",
            one.description,
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def show_settings() -> None:
    """Print the table."""
    for line in settings_table():
        show(line)
