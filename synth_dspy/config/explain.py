"""Turn what pydantic says of a tree of settings into sentences: key, what was found, what to do.

A value that came from a variable is never shown, and neither is a secret: the reference is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from synth_dspy.config.base import RULE
from synth_dspy.config.settings import section_at, sections_with
from synth_dspy.config.variables import Location, has_reference

MAX_LINES = 12
MAX_SHOWN = 60

_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a number",
    "not_a_number": "a number",
    "bool": "true or false",
    "string": "text; put it in quotes",
    "path": "a path",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping of keys to values",
    "model": "a mapping of keys to values",
}
_LIMITS = {
    "greater_than": ("too small", "above", "gt"),
    "greater_than_equal": ("too small", "at least", "ge"),
    "less_than": ("too large", "below", "lt"),
    "less_than_equal": ("too large", "at most", "le"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, and a sentence that says what and what to do."""

    location: Location
    sentence: str

    @property
    def key(self) -> str:
        """The location with dots, as `--set` takes it; "" for the whole."""
        return ".".join(map(str, self.location))

    def __str__(self) -> str:
        return f"{self.key}: {self.sentence}" if self.location else self.sentence


def problems_of(error: ValidationError, written: Mapping[str, Any]) -> list[Problem]:
    """The problems in a validation error; `written` is the tree before variables were expanded."""
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        found.extend(_problems(detail, written))
    return found


def _problems(detail: ErrorDetails, written: Mapping[str, Any]) -> list[Problem]:
    kind, location = detail["type"], detail["loc"]
    context = detail.get("ctx", {})
    follows = kind == "too_short" and detail["input"]  # The entries are there, and were refused.
    if follows or kind == "default_factory_not_called":
        return []
    if kind == RULE:
        return [
            Problem((*location, *(key.split(".") if key else ())), sentence)
            for key, sentence in context["problems"]
        ]
    if location and location[-1] == "[key]":
        *above, name, _ = location
        return [Problem(tuple(above), f"{name!r} is not one of {_choices(context, name)}")]
    if kind == "extra_forbidden":
        return [Problem(location, unknown_key(location))]
    if kind == "missing":
        return [Problem(location, f"is missing; give {_purpose(location)}")]
    return [Problem(location, _sentence(kind, location, detail["input"], context, written))]


def _sentence(
    kind: str,
    location: Location,
    value: Any,
    context: Mapping[str, Any],
    written: Mapping[str, Any],
) -> str:
    found = _shown(location, value, written)
    if value is None:
        return f"is empty; give {_purpose(location)}, or remove the line"
    if kind == "literal_error":
        name = value if isinstance(value, str) and not _from_variable(location, written) else ""
        return f"{found} is not one of {_choices(context, name)}"
    if kind in _LIMITS:
        verdict, relation, bound = _LIMITS[kind]
        return f"{found} is {verdict}; give {relation} {context[bound]:g}"
    if kind in ("too_short", "string_too_short"):
        return f"is empty; give {_purpose(location)}"
    stem = kind if kind in _WANTED else kind.partition("_")[0]
    wanted = _WANTED.get(stem)
    if wanted is None:
        return f"{found} cannot be used: {kind.replace('_', ' ')}"
    if stem == "string" and isinstance(value, list | dict):
        wanted = "text"
    if stem == "tuple" and isinstance(value, str) and section_at((*location, 0)) is None:
        return f'{found} is not a list; write ["..."]'
    return f"{found} is not {wanted}"


def unknown_key(location: Location) -> str:
    """What to say of a key that does not exist: the nearest one, or where it belongs."""
    name = str(location[-1])
    section = section_at(location[:-1])
    known = list(section.model_fields) if section is not None else []
    near = get_close_matches(name, known, n=1, cutoff=0.7)
    if near:
        return f"unknown key; did you mean `{near[0]}`?"
    elsewhere = sections_with(name)
    if elsewhere:
        return f"unknown key here; did you mean `{elsewhere[0]}`?"
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"unknown key; did you mean `{near[0]}`?"
    return f"unknown key; known here: {', '.join(known)}"


def _field(location: Location) -> FieldInfo | None:
    section = section_at(location[:-1])
    return section.model_fields.get(str(location[-1])) if section and location else None


def _purpose(location: Location) -> str:
    """What a setting is for, from its description, as it follows "give"."""
    info = _field(location)
    if info is None or not info.description:
        return "a value"
    text = re.split(r"[.;](?:\s|$)", info.description)[0]
    return f"a value ({text[0].lower()}{text[1:]})"


def _choices(context: Mapping[str, Any], found: object) -> str:
    choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    near = get_close_matches(str(found), choices, n=1, cutoff=0.6) if found else []
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return ", ".join(choices) + hint


def _shown(location: Location, value: Any, written: Mapping[str, Any]) -> str:
    if _from_variable(location, written):
        return f"the value of {_at(location, written)}"
    info = _field(location)
    if info is not None and info.annotation is SecretStr:
        return "the value"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _from_variable(location: Location, written: Mapping[str, Any]) -> bool:
    return has_reference(_at(location, written))


def _at(location: Location, tree: Any) -> Any:
    for step in location:
        if isinstance(tree, Mapping):
            tree = tree.get(str(step))
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree
