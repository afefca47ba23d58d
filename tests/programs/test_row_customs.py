"""Formats of a user's own: from JSON, from a JSON Schema, from a model; and every refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from synth_dspy.errors import ConfigError
from synth_dspy.programs.row_customs import custom_format
from synth_dspy.programs.row_formats import RowFormat

REVIEW = {
    "name": "review",
    "description": "a review of a shop",
    "fields": {
        "text": {"type": "string", "description": "the review", "example": "Good."},
        "stars": {"type": "integer", "description": "1 to 5"},
        "price": {"type": "float", "required": False},
        "again": {"type": "boolean", "required": True},
    },
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "recipe",
    "type": "object",
    "properties": {
        "dish": {"type": "string", "minLength": 2},
        "serves": {"type": "integer", "minimum": 1, "maximum": 12},
        "kind": {"enum": ["starter", "main"]},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1},
        "note": {"type": ["string", "null"]},
    },
    "required": ["dish", "serves", "kind", "steps"],
    "$defs": {
        "step": {
            "type": "object",
            "properties": {"do": {"type": "string"}, "minutes": {"type": "number"}},
            "required": ["do"],
        }
    },
}
DISH = {
    "dish": "soup", "serves": 4, "kind": "main", "steps": [{"do": "boil", "minutes": 3.0}],
    "note": None,
}  # fmt: skip


def made(tmp_path: Path, data: object, name: str = "mine.json") -> RowFormat:
    (tmp_path / name).write_bytes(orjson.dumps(data))
    return custom_format(name, tmp_path / name)


def changed(field: str, **keys: Any) -> dict[str, Any]:
    fields = {**REVIEW["fields"], field: {**REVIEW["fields"].get(field, {}), **keys}}  # type: ignore[dict-item, attr-defined]
    return {**REVIEW, "fields": fields}


def test_a_format_from_json_takes_its_rows(tmp_path: Path) -> None:
    row = {"text": "Fine.", "stars": 4, "price": 2, "again": True}
    assert made(tmp_path, REVIEW).validated(row) == ({**row, "price": 2.0}, "", ())


def test_an_optional_field_may_be_null_or_absent(tmp_path: Path) -> None:
    row, problem, _ = made(tmp_path, REVIEW).validated({"text": "a", "stars": 1, "again": False})
    assert (row["price"], problem) == (None, "")


def test_the_name_defaults_to_the_files(tmp_path: Path) -> None:
    assert made(tmp_path, {"fields": REVIEW["fields"]}, "shops.json").name == "shops"


def test_examples_and_descriptions_reach_the_model(tmp_path: Path) -> None:
    told = made(tmp_path, REVIEW).model.model_fields["text"].description
    assert told == "the review (for example: 'Good.')"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed("age", type="int"),
         "fields.age.type: 'int' is not one of string, integer, float, boolean; did you mean 'int"),
        (changed("age", type="flaot"), "fields.age.type: 'flaot' is not one of"),
        (changed("age", description="no type"), "fields.age.type: is missing; give one of string"),
        (changed("text", requird=True), "fields.text.requird: there is no such key"),
        (changed("text", required="yes"), "fields.text.required: 'yes' is not true or false"),
        (changed("stars", example="five"), "fields.stars.example: 'five' is not of type integer"),
        (changed("text", description=3), "fields.text.description: 3 is not a text"),
        (changed("a b", type="string"), "fields.a b: 'a b' cannot name a field"),
        (changed("source", type="string"), "'source' is a column that every dataset has"),
        ({**REVIEW, "fields": {}}, "fields: a format has at least one field"),
        ({**REVIEW, "fields": {"a": "string"}}, "fields.a: 'string' is not an object"),
        ({**REVIEW, "feilds": 1}, "feilds: there is no such key, only name, description, "),
        ({**REVIEW, "name": "a/b"}, "name: 'a/b' cannot name a file"),
        ({**REVIEW, "name": "triplet"}, "'triplet' is the name of a built-in format"),
        ([1], "a format is a JSON object"),
    ],
)  # fmt: skip
def test_a_wrong_format_is_refused_with_the_key(tmp_path: Path, data: object, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        made(tmp_path, data)
    assert "mine.json: " in str(raised.value)
    assert message in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.json cannot be read: No such file"):
        custom_format("gone.json", tmp_path / "gone.json")


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ConfigError, match=r"bad\.json is not JSON"):
        custom_format("bad.json", tmp_path / "bad.json")


def test_a_json_schema_takes_nested_rows(tmp_path: Path) -> None:
    assert made(tmp_path, SCHEMA).validated(DISH) == (DISH, "", ())


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"serves": 13}, "serves"), ({"kind": "dessert"}, "kind"), ({"dish": "x"}, "dish"),
        ({"steps": []}, "steps"), ({"steps": [{"minutes": 1.0}]}, "steps.0.do"),
        ({"steps": [{"do": "boil", "minutes": "3"}]}, "steps.0.minutes"),
    ],
)  # fmt: skip
def test_a_json_schema_holds_rows_to_ranges_enums_and_what_is_within(
    tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    _, problem, _ = made(tmp_path, SCHEMA).validated({**DISH, **change})
    assert problem.startswith(f"{where}: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"properties": {"a": {"type": "text"}}, "required": []},
         "properties.a.type: 'text' is not one of"),
        ({"properties": {"a": {"type": "string", "minLenght": 1}}, "required": []},
         "properties.a.minLenght: this keyword is not supported for rows; did you mean 'minLeng"),
        ({"required": ["dishh"]}, "required: 'dishh' is not one of the properties; did you mean"),
        ({"properties": {}}, "properties: is empty"),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}, "required": []},
         "properties.a.$ref: '#/$defs/gone' is not in $defs"),
        ({"properties": {"a": {"type": "array"}}, "required": []}, "an array needs `items`"),
        ({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
          "required": []}, "properties.a.anyOf: a column has one type"),
        ({"properties": {"a": {"enum": [1, "a"]}}, "required": []}, "mixes types"),
        ({"properties": {"a": {"enum": []}}, "required": []}, "is not a list of texts"),
        ({"properties": {"a-b": {"type": "string"}}, "required": []}, "cannot name a field"),
        ({"properties": {"a": 3}, "required": []}, "3 is not a schema"),
        ({"properties": {"a": {"anyOf": 3}}, "required": []}, "is not a list of schemas"),
        ({"type": "array"}, "a row is an object with `properties`"),
    ],
)  # fmt: skip
def test_a_json_schema_that_no_row_could_be_held_to_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        made(tmp_path, {**SCHEMA, **change})
    assert message in str(raised.value)


def test_a_schema_that_contains_itself_is_refused(tmp_path: Path) -> None:
    step = {"type": "object", "properties": {"next": {"$ref": "#/$defs/step"}}}
    with pytest.raises(ConfigError, match="contains itself"):
        made(tmp_path, {**SCHEMA, "$defs": {"step": step}})


def test_a_model_of_a_module_is_a_format() -> None:
    found = custom_format("signatures.rows:Pair", None)
    assert (found.name, found.fields) == ("Pair", ("anchor", "positive"))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("no_such_module:A", "No module named 'no_such_module'"),
        ("signatures.rows:Gone", "has no attribute 'Gone'"),
        ("signatures.rows:write_rows_signature", "is not a pydantic model"),
    ],
)
def test_a_module_without_such_a_model_is_refused(named: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        custom_format(named, None)
    assert message in str(raised.value)
