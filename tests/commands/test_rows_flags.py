"""`rows`: flags, the configuration's settings and the environment, and which goes before which."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from synth_dspy.commands.rows import GEMINI, Asked, configuration
from synth_dspy.config import load_config
from tests.commandline import ROOT
from tests.commands.rows_runs import DOCS, here, rows


def test_the_model_is_the_flags_then_geminis_then_the_offline_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = Asked(query="a", format="qa")
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    assert configuration(ask)[0]["models"]["endpoints"][0]["model_name"] == "offline"
    monkeypatch.setenv("GOOGLE_API_KEY", "k-123")
    told, why = configuration(ask)
    assert told["models"]["endpoints"][0]["model_name"] == GEMINI
    assert "k-123" not in json.dumps(told)
    assert why == f"{GEMINI} (GOOGLE_API_KEY is set)"
    chosen = configuration(Asked(query="a", format="qa", model="openai/x"))[0]
    assert chosen["models"]["endpoints"][0]["model_name"] == "openai/x"


def test_the_model_of_a_configuration_goes_before_the_environment(tmp_path: Path) -> None:
    env = {"GOOGLE_API_KEY": "k"}
    result = rows(tmp_path, "--config", str(ROOT / "configs" / "rows.yaml"), "--samples", "3",
                  env=env)  # fmt: skip
    assert result.code == 0, result.err
    assert "model: offline (endpoint 'offline' of" in result.err


def test_the_model_is_said_once(tmp_path: Path) -> None:
    arguments = ("--query", "dew point", "--format", "pair", "--samples", "1")
    result = rows(tmp_path, *arguments)
    assert result.code == 0, result.err
    assert len(re.findall("^models?: ", result.err, re.MULTILINE)) == 1


def test_flags_go_before_the_configuration(tmp_path: Path) -> None:
    config = str(ROOT / "configs" / "rows.yaml")
    given = ("--config", config, "--format", "pair", "--samples", "3", "--output_prefix", "mine")
    result = rows(tmp_path, *given, "--output_format", "csv", "jsonl")
    assert result.code == 0, result.err
    names = sorted(path.name for path in tmp_path.glob("*pair*"))
    assert names == ["mine_pair_from_docs.csv", "mine_pair_from_docs.jsonl"]


def test_a_query_with_the_mark_of_a_variable_is_text(tmp_path: Path) -> None:
    result = rows(tmp_path, "--query", "the ${LEVEL} of a river", "--format", "pair",
                  "--samples", "1")  # fmt: skip
    assert result.code == 0, result.err


def test_defaults_are_those_of_the_design() -> None:
    told, _ = configuration(Asked(documents=DOCS, format="qa", model="offline"))
    endpoint = told["models"]["endpoints"][0]
    assert (endpoint["temperature"], endpoint["top_p"]) == (0.4, 0.95)
    section = load_config(ROOT / "configs" / "rows.yaml").config.rows.model_copy()
    fresh = type(section)()
    assert (fresh.samples, fresh.batch_size, fresh.max_retries) == (50, 25, 5)
    assert (fresh.refine, fresh.output_prefix) == (True, "synthetic_data")
    assert fresh.output_formats == ("jsonl", "csv", "parquet")


def test_help_groups_every_flag(tmp_path: Path) -> None:
    text = here(tmp_path, "rows", "--help").out
    for heading in ("What the rows are made from", "Format and number", "Model", "Files", "Run"):
        assert f"{heading}:" in text
    for flag in ("query", "documents", "format", "custom-format-file", "samples", "no-refine",
                 "model", "temperature", "top-p", "top-k", "output-prefix", "output-format",
                 "incremental-save", "batch-size", "max-retries", "log-level"):  # fmt: skip
        assert f"--{flag}" in text


def test_both_spellings_of_a_flag_are_one() -> None:
    import typer

    from synth_dspy.run import app

    command_ = typer.main.get_command(app).commands["rows"]  # type: ignore[attr-defined]
    for spelled in ("--top_p", "--top-p"):
        with command_.make_context("rows", [spelled, "0.5"]) as context:
            assert context.params["top_p"] == 0.5
