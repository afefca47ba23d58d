"""`rows`: what cannot be is refused in a sentence, before anything is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_dspy.config import load_config
from synth_dspy.errors import UserError
from tests.commands.rows_runs import DOCS, here, rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--query", "a", "--documents", "b", "--format", "qa"],
         "--query and --documents exclude each other; give one."),
        (["--query", "a", "--format", "qa", "--custom_format_file", "b.json"],
         "--format and --custom-format-file exclude each other; give one."),
        (["--format", "qa"], "rows needs --query TEXT or --documents PATH."),
        (["--query", "a"], "rows needs --format {pair-class,"),
        (["--query", " ", "--format", "qa"], "--query is empty"),
        (["--query", "a", "--format", "quad"], "--format 'quad' is not one of pair-class,"),
        (["--query", "a", "--format", "qa", "--model", "gpt"], "--model 'gpt': a model is named"),
        (["--query", "a", "--format", "qa", "--base_url", "http://h/v1"], "needs --model"),
        (["--query", "a", "--format", "qa", "--output_format", "xlsx"], "'xlsx' is no output"),
        (["--query", "a", "--format", "qa", "--output_format", "csv", "tsv"], "'tsv' is no output"),
        (["--query", "a", "--format", "qa", "--log_level", "loud"], "--log-level 'loud' is not"),
        (["--documents", "gone", "--format", "qa"], "gone"),
        (["--query", "zzzz", "--format", "qa"], "No passage of the documents has to do with"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = rows(tmp_path, *arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--temperature", "2.1"), ("--top_p", "1.1"), ("--samples", "0"), ("--batch_size", "0")],
)
def test_numbers_out_of_range_are_refused_by_their_option(
    tmp_path: Path, option: str, value: str
) -> None:
    result = rows(tmp_path, "--query", "a", "--format", "qa", option, value)
    assert result.code == 2
    assert option.replace("_", "-") in result.err


def test_a_custom_format_needs_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"fields": {"a": {"type": "string"}}}))
    result = rows(tmp_path, "--documents", str(DOCS), "--custom-format-file", "a.json")
    assert result.code == 2
    assert "The format 'a' needs a model" in result.err


def test_a_query_alone_needs_a_model_in_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text(
        "recipe: rows\ndataset: {name: q}\nrows: {query: rivers, format: qa}\n"
    )
    result = here(tmp_path, "pipeline", "--config", "q.yaml")
    assert result.code == 2
    assert "A query alone needs a model" in result.err


def test_a_configuration_without_a_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("recipe: rows\ndataset: {name: q}\nrows: {query: rivers}\n")
    result = here(tmp_path, "pipeline", "--config", "q.yaml")
    assert result.code == 2
    assert "rows.format: name one of pair-class" in result.err


def test_a_configuration_without_material_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("recipe: rows\ndataset: {name: q}\nrows: {format: qa}\n")
    result = here(tmp_path, "pipeline", "--config", "q.yaml")
    assert result.code == 2
    assert "rows need material" in result.err


def test_two_formats_in_a_configuration_are_refused(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text(
        "recipe: rows\ndataset: {name: q}\nrows: {format: qa, custom_format: a.json}\n"
    )
    with pytest.raises(UserError, match=r"rows\.format: `custom_format` is given, too"):
        load_config(tmp_path / "q.yaml")
