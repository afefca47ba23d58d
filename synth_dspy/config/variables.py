"""Environment variables in settings: `${NAME}`, `${NAME:-default}`, and `.env`.

In: the tree that YAML gave. Out: the same tree with references replaced, and where a variable was
not set. The process's own environment is read and never changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy.errors import ConfigError

Location = tuple[str | int, ...]

MAX_DEPTH = 40

# `$${` stands for a literal `${`. What looks otherwise (`${\psi}` in a prompt) is left as it is.
_REFERENCE = re.compile(
    r"\$(?P<literal>\$\{)|\$\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}"
)


@dataclass(frozen=True, slots=True)
class Unset:
    """A reference to a variable that is not set, and where it stands."""

    location: Location
    variable: str


def environment(folder: Path | None = None) -> dict[str, str]:
    """The environment, with what `.env` in `folder` (default: the working directory) adds to it.

    A variable that is set in the environment keeps its value, also when it is empty.

    Raises:
        ConfigError: `.env` is there and cannot be read.
    """
    path = (folder or Path.cwd()) / ".env"
    added: dict[str, str] = {}
    if path.is_file():
        from dotenv import dotenv_values

        try:
            found = dotenv_values(path, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}; mend it or remove it") from error
        added = {name: value for name, value in found.items() if value is not None}
    return {**added, **os.environ}


def expand(
    tree: Any, variables: Mapping[str, str], *, at: Location = ()
) -> tuple[Any, tuple[Unset, ...]]:
    """A copy of `tree` with every reference replaced by its variable's value.

    As in a shell, `:-` gives the default for a variable that is not set or empty. A reference to a
    variable that is not set is left as it is and returned.

    Raises:
        ConfigError: the tree is nested deeper than `MAX_DEPTH`, as one that contains itself is.
    """
    if len(at) > MAX_DEPTH:
        place = ".".join(map(str, at[:4]))
        raise ConfigError(f"{place}: nested deeper than {MAX_DEPTH} levels; does an alias loop?")
    unset: list[Unset] = []
    if isinstance(tree, Mapping):
        mapping: dict[str, Any] = {}
        for key, value in tree.items():
            mapping[str(key)], missing = expand(value, variables, at=(*at, str(key)))
            unset.extend(missing)
        return mapping, tuple(unset)
    if isinstance(tree, list):
        items: list[Any] = []
        for index, value in enumerate(tree):
            item, missing = expand(value, variables, at=(*at, index))
            items.append(item)
            unset.extend(missing)
        return items, tuple(unset)
    if isinstance(tree, str):
        return _replace(tree, variables, at, unset), tuple(unset)
    return tree, ()


def has_reference(value: object) -> bool:
    """Whether `value` is a text that refers to a variable."""
    return isinstance(value, str) and any(m["name"] for m in _REFERENCE.finditer(value))


def _replace(text: str, variables: Mapping[str, str], at: Location, unset: list[Unset]) -> str:
    def value_of(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name is None:
            return match["literal"]
        value = variables.get(name)
        if default is not None:
            return value or default
        if value is None:
            unset.append(Unset(at, name))
            return match[0]
        return value

    return _REFERENCE.sub(value_of, text)
