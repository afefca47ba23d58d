"""A format of the user's own: a JSON file, a JSON Schema, or a pydantic model -> `RowFormat`.

A path or `module:Model` enters, a format leaves, or one sentence that names the key that is wrong.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, Field

from signatures.rows import row_model
from synth_dspy.errors import ConfigError
from synth_dspy.programs.row_formats import FORMATS, RESERVED, RowFormat
from synth_dspy.programs.row_schema import model_of

_TYPES: dict[str, type[Any]] = {"string": str, "integer": int, "float": float, "boolean": bool}
_MEANT = {
    "int": "integer", "long": "integer", "str": "string", "text": "string", "bool": "boolean",
    "double": "float", "number": "float",
}  # fmt: skip
_KEYS = ("name", "description", "fields")
_FIELD_KEYS = ("type", "description", "required", "example")
_NAME = re.compile(r"[A-Za-z]\w*")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def custom_format(named: str, file: Path | None) -> RowFormat:
    """The format.

    Args:
        named: as the user wrote it; file: its absolute path, None where `named` is `module:Model`.

    Raises:
        ConfigError: it is not there, is not JSON, or says what no format can.
    """
    if file is None:
        return _checked(_from_module(named), named)
    try:
        data = orjson.loads(file.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"rows.custom_format: {named} cannot be read: {error.strerror}."
        ) from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{named} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{named}: a format is a JSON object with `name` and `fields`.")
    return _checked(_from_json(data, named, file.stem), named)


def _from_json(data: dict[str, Any], where: str, stem: str) -> RowFormat:
    if "fields" not in data and ("properties" in data or "$schema" in data or "$defs" in data):
        name = _name(data.get("title", stem), f"{where}: title", stem)
        return RowFormat(name, _form(data, name), model_of(data, "Row", where))
    _only(data, _KEYS, where, "")
    name = _name(data.get("name", stem), f"{where}: name", "")
    fields = data.get("fields")
    if not isinstance(fields, Mapping) or not fields:
        raise ConfigError(f"{where}: fields: a format has at least one field, by name.")
    made = {key: _field(key, value, where) for key, value in fields.items()}
    return RowFormat(name, _form(data, name), row_model("Row", made))


def _field(name: str, told: Any, where: str) -> tuple[Any, Any]:
    key = f"fields.{name}"
    if not _NAME.fullmatch(name) or name.startswith("model_"):
        raise ConfigError(
            f"{where}: {key}: {name!r} cannot name a field; use letters, digits and `_`, a letter "
            "first, and no `model_`."
        )
    if not isinstance(told, Mapping):
        raise ConfigError(f"{where}: {key}: {told!r} is not an object with a `type`.")
    _only(told, _FIELD_KEYS, where, f"{key}.")
    kind, required, example = told.get("type"), told.get("required", True), told.get("example")
    if kind not in _TYPES:
        near = _MEANT.get(str(kind)) or next(
            iter(difflib.get_close_matches(str(kind), _TYPES, 1)), ""
        )
        meant = f"; did you mean {near!r}?" if near else ""
        said = "is missing; give" if kind is None else f"{kind!r} is not"
        raise ConfigError(f"{where}: {key}.type: {said} one of {', '.join(_TYPES)}{meant}")
    if not isinstance(required, bool):
        raise ConfigError(f"{where}: {key}.required: {required!r} is not true or false.")
    if not isinstance(told.get("description", ""), str):
        raise ConfigError(f"{where}: {key}.description: {told['description']!r} is not a text.")
    if example is not None and not _is_a(example, kind):
        raise ConfigError(f"{where}: {key}.example: {example!r} is not of type {kind}.")
    text = told.get("description", "")
    if example is not None:
        text = f"{text} (for example: {example!r})".strip()
    own = _TYPES[kind]
    if required:
        # An empty text is no value.
        return own, Field(description=text or None, min_length=1 if own is str else None)
    return own | None, Field(default=None, description=text or None)


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, (int, float) if kind == "float" else _TYPES[kind])


def _from_module(named: str) -> RowFormat:
    module, _, attribute = named.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` has it, and the console script has not
        sys.path.insert(0, here)
    try:
        found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"rows.custom_format: {named!r}: {error}. A file is named with its .json; a module is "
            "looked for from the working directory."
        ) from error
    except AttributeError as error:
        raise ConfigError(f"rows.custom_format: {named!r}: {error}.") from error
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        raise ConfigError(f"rows.custom_format: {named!r} is not a pydantic model.")
    name = _name(attribute, named, "")
    return RowFormat(name, (found.__doc__ or name).strip(), found)


def _checked(made: RowFormat, where: str) -> RowFormat:
    for name in RESERVED:
        if name in made.fields:
            raise ConfigError(
                f"{where}: {name!r} is a column that every dataset has; give the field another name"
            )
    if made.name in FORMATS:
        raise ConfigError(
            f"{where}: name: {made.name!r} is the name of a built-in format; choose another."
        )
    return made


def _form(data: Mapping[str, Any], name: str) -> str:
    described = data.get("description")
    return described.strip() if isinstance(described, str) and described.strip() else name


def _name(value: Any, where: str, otherwise: str) -> str:
    if isinstance(value, str) and _FILE_NAME.fullmatch(value):
        return value
    if otherwise:  # a schema's title is prose
        return otherwise
    raise ConfigError(
        f"{where}: {value!r} cannot name a file; use letters, digits, `.`, `_` and `-`."
    )


def _only(data: Mapping[str, Any], known: tuple[str, ...], where: str, before: str) -> None:
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(
                f"{where}: {before}{key}: there is no such key, only {', '.join(known)}{meant}"
            )
