"""Options that several commands share, as the fields of one dataclass. Imports nothing but Python.

A command that takes such a dataclass enters, and what leaves looks to typer as if it declared each
field as an option of its own: typer itself has no parameter that stands for several.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints


def unfolded(command: Callable[..., None]) -> Callable[..., None]:
    """`command`, with each parameter that is a dataclass replaced by the dataclass's fields.

    Fields and parameters must differ in their names; every field needs a default.
    """
    hints = get_type_hints(command, include_extras=True)
    folded: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind) and isinstance(kind, type):
            folded[parameter.name] = kind
            parameters += _parameters_of(kind)
        else:
            kept = parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY)
            parameters.append(kept)

    @functools.wraps(command)
    def called(**values: Any) -> None:
        for name, kind in folded.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
        command(**values)

    # typer reads the one, and the other for annotations that are text.
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _parameters_of(kind: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(kind)
    ]
