"""Read a run's configuration: YAML, `--set`, `.env` and environment, old keys, then the rules.

In: a path and overrides. Out: `Loaded`, or one `ConfigError` that lists everything that is wrong.
Nothing is printed and nothing is written; the sources themselves are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synth_dspy.config.explain import MAX_LINES, Problem, problems_of
from synth_dspy.config.legacy import translate
from synth_dspy.config.overrides import Override, apply_overrides, as_typed, parse_override
from synth_dspy.config.reading import read_yaml, refuse_what_is_too_large
from synth_dspy.config.schema import Config
from synth_dspy.config.variables import Unset, environment, expand
from synth_dspy.errors import ConfigError

DEFAULT_FILE = Path("configs", "quickstart", "config.yaml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and lines about old keys in its file that the user should be shown."""

    config: Config
    notes: tuple[str, ...] = ()


def default_config_path() -> Path:
    """The quickstart's configuration: of the working directory, of this checkout, or as installed.

    Raises:
        ConfigError: there is none.
    """
    package = Path(__file__).resolve().parents[1]
    places = (
        DEFAULT_FILE,
        package.parent / DEFAULT_FILE,
        package / "_configs" / DEFAULT_FILE.relative_to("configs"),
    )
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(f"{DEFAULT_FILE} is not there; name a configuration with --config FILE")


def load_config(path: Path, overrides: Sequence[str] = ()) -> Loaded:
    """Read and check a configuration.

    Args:
        path: the YAML file; relative paths of sources start at its folder.
        overrides: `dotted.key=value`, the value as YAML; they win over the file.

    Raises:
        ConfigError: the file is missing or not YAML, an override cannot be placed, a key is
            unknown, a value has the wrong type or breaks a rule, or a variable is not set.
    """
    path = Path(path)
    placed = [parse_override(text) for text in overrides]
    written = apply_overrides(read_yaml(path), placed)
    refuse_what_is_too_large(path, written)
    expanded, unset = expand(written, environment())
    translation = translate(_without_empty(expanded))
    tree = translation.tree
    problems = [_about_variable(missing) for missing in unset]
    problems += translation.problems
    config: Config | None = None
    try:
        told = {"base": path.resolve().parent, "file": path, "arguments": as_typed(overrides)}
        config = Config.model_validate(tree, context=told)
    except ValidationError as error:
        # A variable that is not set has been reported; what its absence breaks would repeat it.
        waiting = {missing.location for missing in unset}
        problems += [p for p in problems_of(error, written) if p.location not in waiting]
    if config is None or problems:
        # Without a cause: pydantic's own error holds the values, keys and passwords among them.
        raise ConfigError(_message(path, problems, placed)) from None
    return Loaded(config, tuple(translation.notes))


def _without_empty(tree: dict[str, Any]) -> dict[str, Any]:
    # A section whose lines are all commented out reads as null: its defaults are meant.
    return {key: value for key, value in tree.items() if value is not None}


def _about_variable(missing: Unset) -> Problem:
    return Problem(
        missing.location,
        f"the variable {missing.variable} is not set; export it, or put it in .env",
    )


def _message(path: Path, problems: Sequence[Problem], overrides: Sequence[Override]) -> str:
    found = list(dict.fromkeys(problems))
    if len(found) == 1:
        return f"{found[0]} ({'--set' if _is_about(found[0], overrides) else path})"
    lines = [
        f"  {problem}{' (--set)' if _is_about(problem, overrides) else ''}"
        for problem in found[:MAX_LINES]
    ]
    if len(found) > MAX_LINES:
        lines.append(f"  … and {len(found) - MAX_LINES} more")
    return "\n".join([f"{path}: {len(found)} problems", *lines])


def _is_about(problem: Problem, overrides: Sequence[Override]) -> bool:
    """Whether an override set the key of a problem, or something within it."""
    return any(
        all(a == b for a, b in zip(problem.location, o.location, strict=False)) for o in overrides
    )
