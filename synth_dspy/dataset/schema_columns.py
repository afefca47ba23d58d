"""The columns of rows that a pydantic model describes, as `datasets` names their types.

A model enters, `Features` leave. Objects without fixed keys become JSON text, as `metadata` is
everywhere in this project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import orjson
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SCALARS: dict[Any, str] = {str: "string", bool: "bool", int: "int64", float: "float64"}


def features_of(schema: type[BaseModel]) -> Any:
    """`datasets.Features`, in the order of the schema's fields."""
    from datasets import Features

    return Features(_fields(schema))


def columns_of(schema: type[BaseModel], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The rows' values by column, objects without fixed keys as JSON."""
    return {
        name: [
            orjson.dumps(row[name], option=orjson.OPT_SORT_KEYS).decode()
            if _is_open(info.annotation)
            else row[name]
            for row in rows
        ]
        for name, info in schema.model_fields.items()
    }


def _fields(schema: type[BaseModel]) -> dict[str, Any]:
    return {name: _type(info.annotation) for name, info in schema.model_fields.items()}


def _type(annotation: Any) -> Any:
    from datasets import List, Value

    origin = get_origin(annotation)
    if origin is list:
        return List(_type(get_args(annotation)[0]))
    if origin is Literal or _is_open(annotation):
        return Value("string")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _fields(annotation)
    return Value(_SCALARS[annotation])


def _is_open(annotation: Any) -> bool:
    return get_origin(annotation) is dict
