"""The columns of rows of any format, as Parquet and CSV know them.

A pydantic model enters, an Arrow schema leaves; a row enters, a CSV line leaves and comes back.
Every dataset also has `source` and `metadata`, both texts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import pyarrow
    from pydantic import BaseModel

OWN = ("source", "metadata")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "'")
"""First characters with which a spreadsheet may take a text for a formula, and our own mark."""

Row = Mapping[str, Any]


def arrow_schema(model: type[BaseModel]) -> pyarrow.Schema:
    """The schema of the columns; a column of any type whatever is JSON in a text."""
    import pyarrow

    schema = model.model_json_schema(mode="serialization")
    defs, told = schema.get("$defs", {}), schema["properties"]
    made = [pyarrow.field(name, _type(told[name], defs)) for name in model.model_fields]
    made += [pyarrow.field(name, pyarrow.string()) for name in OWN]
    return pyarrow.schema(made)


def _type(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Any:
    import pyarrow

    if "$ref" in schema:
        return _type(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        (one, *more) = [s for s in schema["anyOf"] if s.get("type") != "null"] or [{}]
        return _type({} if more else one, defs)
    kind = schema.get("type")
    if kind is None and "enum" in schema:
        kind = "integer" if all(isinstance(v, int) for v in schema["enum"]) else "string"
    if kind == "array":
        return pyarrow.list_(_type(schema.get("items", {}), defs))
    if kind == "object" and schema.get("properties"):
        return pyarrow.struct([(n, _type(s, defs)) for n, s in schema["properties"].items()])
    plain = {
        "integer": pyarrow.int64(), "number": pyarrow.float64(), "boolean": pyarrow.bool_(),
    }  # fmt: skip
    return plain.get(str(kind), pyarrow.string())


def as_stored(row: Row, schema: pyarrow.Schema) -> dict[str, Any]:
    """The row's columns, in order; what a text column holds besides texts as JSON."""
    stored = {}
    for column in schema:
        value = row.get(column.name)
        if str(column.type) == "string" and value is not None and not isinstance(value, str):
            value = orjson.dumps(value).decode()
        stored[column.name] = value
    return stored


def csv_line(values: Sequence[Any]) -> bytes:
    """One CSV record. Texts that a spreadsheet could take for a formula get a `'` in front.

    So does one that starts with `'` or is empty, so that taking one off gives back every text.
    Numbers are written as they are. An absent value is an empty field, lists and objects are JSON.

    See https://owasp.org/www-community/attacks/CSV_Injection.
    """
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([_cell(value) for value in values])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_DANGEROUS) or not value else value
    return orjson.dumps(value).decode()


def read_csv(path: Path, schema: pyarrow.Schema) -> Iterator[dict[str, Any]]:
    """The rows of a CSV file of ours, unescaped and typed again; an empty field reads as absent."""
    # Python's own limit is 131,072 characters a field; a text may be longer.
    csv.field_size_limit(max(csv.field_size_limit(), path.stat().st_size))
    with path.open(encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            row: dict[str, Any] = {}
            for column in schema:
                text = record[column.name].removeprefix("'")
                if record[column.name] == "":
                    row[column.name] = None
                else:
                    plain = str(column.type) == "string"
                    row[column.name] = text if plain else orjson.loads(text)
            yield row
