"""The settings as a table: key, type, default, description, taken from the models themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from synth_dspy.config.base import Section
from synth_dspy.config.schema import Config
from synth_dspy.config.variables import Location

_TYPE_NAMES = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    SecretStr: "text",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One row.

    Attributes:
        key: dotted; `[]` stands for an index of a list, `<name>` for a key of the user's own.
        default: as YAML would have it; "required" when there is none, "" when it is computed.
    """

    key: str
    type: str
    default: str
    description: str


def describe_settings(section: type[Section] = Config, prefix: str = "") -> Iterator[Setting]:
    """Every setting below `section`, depth first, in the order of the models."""
    for name, info in section.model_fields.items():
        key = f"{prefix}{name}"
        below, suffix = _section_in(info.annotation)
        yield Setting(key, _type_name(info.annotation), _default(info), info.description or "")
        if below is not None:
            yield from describe_settings(below, f"{key}{suffix}.")


def section_at(location: Location) -> type[Section] | None:
    """The section that a location leads to; None when it leads to a value or nowhere."""
    section: type[Section] | None = Config
    below: type[Section] | None = None
    for step in location:
        if below is not None:
            section, below = below, None
            continue
        info = section.model_fields.get(str(step)) if section else None
        if info is None:
            return None
        inner, suffix = _section_in(info.annotation)
        section, below = (None, inner) if suffix else (inner, None)
    return section


def sections_with(name: str) -> list[str]:
    """Dotted keys of every setting whose last step is `name`."""
    return [s.key for s in describe_settings() if s.key.rpartition(".")[2] == name]


def _section_in(annotation: Any) -> tuple[type[Section] | None, str]:
    """The section that a field holds, and how a key goes on to it: ``""``, `[]` or `.<name>`."""
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, ""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return _section_in(arguments[0])[0], "[]"
    if origin is dict:
        return _section_in(arguments[1])[0], ".<name>"
    return None, ""


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        rest = [a for a in get_args(annotation) if a is not NoneType]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _type_name(annotation: Any) -> str:
    annotation = _bare(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin is tuple:
        return f"list of {_type_name(arguments[0])}"
    if origin is dict:
        return f"mapping of {_type_name(arguments[0])} to {_type_name(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section"
    return _TYPE_NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default_factory is not None:
        return ""
    value = info.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(str(getattr(item, 'name', item)) for item in value)}]"
    if isinstance(value, SecretStr):
        return "none"
    return str(value) or '""'
