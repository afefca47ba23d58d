"""JSON Schema -> pydantic model, for the part of JSON Schema that rows are described with.

A schema enters, a model that holds values to it leaves; what it cannot express is refused, with the
key, never passed over. Objects, lists, enums, ranges, lengths, patterns, `null`, `$ref` to `$defs`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from signatures.rows import row_model
from synth_dspy.errors import ConfigError

_PLAIN: dict[str, type[Any]] = {"string": str, "integer": int, "number": float, "boolean": bool}
_BOUNDS = {
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of", "minLength": "min_length", "maxLength": "max_length",
    "pattern": "pattern", "minItems": "min_length", "maxItems": "max_length",
}  # fmt: skip
_ABOUT = {
    "title", "description", "examples", "example", "default", "$schema", "$id", "$comment",
    "deprecated", "format", "readOnly", "writeOnly",
}  # fmt: skip
_MEANT = {
    "type", "enum", "const", "properties", "required", "items", "$ref", "$defs", "definitions",
    "anyOf", "oneOf", "additionalProperties",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z]\w*")


def model_of(schema: Mapping[str, Any], name: str, where: str) -> type[BaseModel]:
    """The model of an object's schema.

    Args:
        where: the file, for errors.

    Raises:
        ConfigError: the text names the key and what is wrong with it.
    """
    return _Reader(schema, where).object(schema, name, "")


class _Reader:
    def __init__(self, root: Mapping[str, Any], where: str) -> None:
        self._where = where
        self._defs = {**root.get("definitions", {}), **root.get("$defs", {})}
        self._open: list[str] = []

    def _wrong(self, key: str, text: str) -> ConfigError:
        return ConfigError(f"{self._where}: {key + ': ' if key else ''}{text}")

    def object(self, schema: Mapping[str, Any], name: str, key: str) -> type[BaseModel]:
        """A model for a schema of type object."""
        self._known(schema, key)
        properties = schema.get("properties")
        if schema.get("type", "object") != "object" or not isinstance(properties, Mapping):
            raise self._wrong(key, "a row is an object with `properties`; say which fields it has")
        if not properties:
            raise self._wrong(_under(key, "properties"), "is empty; a row has at least one field")
        required = schema.get("required", [])
        for one in required if isinstance(required, list) else [required]:
            if one not in properties:
                near = difflib.get_close_matches(str(one), properties, 1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise self._wrong(
                    _under(key, "required"), f"{one!r} is not one of the properties{meant}"
                )
        fields: dict[str, Any] = {}
        for field_name, inner in properties.items():
            place = _under(key, f"properties.{field_name}")
            if not _NAME.fullmatch(field_name) or field_name.startswith("model_"):
                raise self._wrong(
                    place,
                    f"{field_name!r} cannot name a field; use letters, digits and `_`, a letter "
                    "first, and no `model_`",
                )
            fields[field_name] = self._field(inner, field_name, place, field_name in required)
        return row_model(name, fields, str(schema.get("description", "")))

    def _field(self, schema: Any, name: str, key: str, needed: bool) -> tuple[Any, Any]:
        kind = self._type(schema, name, key)
        told = schema.get("description") or ""
        example = schema.get("example", (schema.get("examples") or [None])[0])
        if example is not None:
            told = f"{told} (for example: {example!r})".strip()
        if needed:
            return kind, Field(description=told or None)
        return kind | None, Field(default=None, description=told or None)

    def _known(self, schema: Any, key: str) -> None:
        if not isinstance(schema, Mapping):
            raise self._wrong(key, f"{schema!r} is not a schema, which is an object")
        for word in schema:
            if word not in _ABOUT and word not in _MEANT and word not in _BOUNDS:
                near = difflib.get_close_matches(str(word), [*_MEANT, *_BOUNDS], 1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise self._wrong(
                    _under(key, str(word)), f"this keyword is not supported for rows{meant}"
                )

    def _type(self, schema: Any, name: str, key: str) -> Any:
        self._known(schema, key)
        if "$ref" in schema:
            return self._referred(str(schema["$ref"]), key)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self._either(schema[word], name, _under(key, word))
        if "const" in schema:
            return Literal[schema["const"]]
        if "enum" in schema:
            return self._enum(schema["enum"], _under(key, "enum"))
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._either([{**schema, "type": one} for one in kind], name, key)
        if kind == "null":
            return None
        if kind == "object":
            return self.object(schema, name.title().replace("_", ""), key)
        bounds = {own: schema[word] for word, own in _BOUNDS.items() if word in schema}
        if kind == "array":
            if "items" not in schema:
                raise self._wrong(key, "an array needs `items`, the schema of what is in it")
            inner: Any = self._type(schema["items"], name, _under(key, "items"))
            several: Any = list[inner]
            return Annotated[several, Field(**bounds)]
        if kind not in _PLAIN:
            known = (*_PLAIN, "array", "object", "null")
            near = difflib.get_close_matches(str(kind), known, 1, 0.3)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise self._wrong(
                _under(key, "type"), f"{kind!r} is not one of {', '.join(known)}{meant}"
            )
        return Annotated[_PLAIN[kind], Field(**bounds)] if bounds else _PLAIN[kind]

    def _referred(self, ref: str, key: str) -> Any:
        target = ref.rpartition("/")[2]
        if not ref.startswith(("#/$defs/", "#/definitions/")) or target not in self._defs:
            raise self._wrong(_under(key, "$ref"), f"{ref!r} is not in $defs of this file")
        if target in self._open:
            raise self._wrong(_under(key, "$ref"), f"{ref!r} contains itself, which no column can")
        self._open.append(target)
        try:
            return self._type(self._defs[target], target, key)
        finally:
            self._open.pop()

    def _either(self, options: Any, name: str, key: str) -> Any:
        if not isinstance(options, list):
            raise self._wrong(key, "is not a list of schemas")
        empty = [one for one in options if isinstance(one, Mapping) and one.get("type") == "null"]
        rest = [one for one in options if one not in empty]
        if len(rest) != 1:
            raise self._wrong(
                key, "a column has one type, with or without null; take the others out"
            )
        kind = self._type(rest[0], name, key)
        return kind | None if empty else kind

    def _enum(self, values: Any, key: str) -> Any:
        plain = (
            isinstance(values, list)
            and values
            and all(isinstance(value, str | int | bool) or value is None for value in values)
        )
        if not plain:
            raise self._wrong(key, f"{values!r} is not a list of texts or whole numbers")
        if len({type(value) for value in values if value is not None}) > 1:
            raise self._wrong(key, f"{values!r} mixes types; a column has one")
        return Literal[tuple(values)]


def _under(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
