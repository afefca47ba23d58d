"""Settings given on the command line: `--set dotted.key=value` laid over the file's tree.

Which keys exist is not known here: a wrong one is found when the whole is validated.
"""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from synth_dspy.config.redact import redacted
from synth_dspy.config.variables import Location
from synth_dspy.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Override:
    """One `--set`: where, and the value as YAML reads it."""

    location: Location
    value: Any


def parse_override(text: str) -> Override:
    """Read `dotted.key=value`; a step made of digits is the index of a list.

    Raises:
        ConfigError: there is no `=`, a step of the key is empty, or the value is not YAML.
    """
    key, equals, value = text.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise ConfigError(f"--set {text!r} has no dotted.key=value; for example --set seed=7")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"--set {key.strip()}: the value is not YAML; put it in quotes twice, as in "
            f"--set '{key.strip()}=\"...\"'"
        ) from error
    return Override(tuple(int(s) if s.isdecimal() else s for s in steps), parsed)


def as_typed(overrides: Sequence[str]) -> tuple[str, ...]:
    """Overrides as they would be typed again: quoted for a shell, without the value of any secret.

    Where a run's files go is left out: it is no property of a dataset.
    """
    typed = []
    for text in overrides:
        key, _, _ = text.partition("=")
        value = parse_override(text).value
        hidden = redacted({key.strip().rpartition(".")[2]: value})
        (shown,) = hidden.values()
        if key.strip() != "output_dir":
            plain = text if shown == value else f"{key.strip()}={json.dumps(shown)}"
            typed.append(f"--set {shlex.quote(plain)}")
    return tuple(typed)


def apply_overrides(tree: dict[str, Any], overrides: Sequence[Override]) -> dict[str, Any]:
    """A copy of `tree` with each override in its place; later ones win.

    Sections that are missing are made. An index may be one past the end of a list, to append.

    Raises:
        ConfigError: a step leads into a value that is neither a list nor a section, or past a
            list's end.
    """
    result = copy.deepcopy(tree)
    for override in overrides:
        _set(result, override)
    return result


def _set(tree: dict[str, Any], override: Override) -> None:
    node: Any = tree
    *path, last = override.location
    for depth, step in enumerate(path):
        following = override.location[depth + 1]
        child = _get(node, step, override)
        if child is None:
            child = [] if isinstance(following, int) else {}
            _put(node, step, child, override)
        node = child
    _put(node, last, override.value, override)


def _get(node: Any, step: str | int, override: Override) -> Any:
    if isinstance(node, dict):
        return node.get(str(step))
    if isinstance(node, list):
        index = _index(node, step, override)
        return node[index] if index < len(node) else None
    raise ConfigError(f"--set {_key(override)}: {step!r} leads into a value that has no keys")


def _put(node: Any, step: str | int, value: Any, override: Override) -> None:
    if isinstance(node, dict):
        node[str(step)] = value
    elif isinstance(node, list):
        index = _index(node, step, override)
        node[index : index + 1] = [value]
    else:
        raise ConfigError(f"--set {_key(override)}: {step!r} leads into a value that has no keys")


def _index(node: list[Any], step: str | int, override: Override) -> int:
    if isinstance(step, int) and step <= len(node):
        return step
    known = f"0 to {len(node) - 1}, or {len(node)} to append" if node else "0"
    raise ConfigError(f"--set {_key(override)}: {step!r} is not an index of that list; use {known}")


def _key(override: Override) -> str:
    return ".".join(map(str, override.location))
