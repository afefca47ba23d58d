"""`inspect` and `inspect-traces` on a finished run: which records, which fields, where to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import QUICKSTART, Result, run
from tests.commands.conftest import Quickstart


def inspect(quickstart: Quickstart, *arguments: str) -> Result:
    return run("inspect", "--config", str(QUICKSTART), *arguments, cwd=quickstart.cwd)


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("older", "name"),
    [("documents", "parse"), ("samples", "build"), ("answer_generation", "answer")],
)
def test_a_stage_is_known_by_its_older_name(quickstart: Quickstart, older: str, name: str) -> None:
    by_older = inspect(quickstart, "--stage", older, "--json")
    assert by_older.out == inspect(quickstart, "--stage", name, "--json").out
    assert by_older.out


def test_the_half_of_plan_that_allocates_can_be_looked_at(quickstart: Quickstart) -> None:
    assert records(inspect(quickstart, "--stage", "allocate", "--json", "--count", "2").out)


def test_one_record_is_shown_by_its_number(quickstart: Quickstart) -> None:
    every = records(inspect(quickstart, "--stage", "build", "--json").out)
    second = records(inspect(quickstart, "--stage", "build", "--json", "--index", "1").out)
    last = records(inspect(quickstart, "--stage", "build", "--json", "--index", "-1").out)
    assert [second, last] == [every[1:2], every[-1:]]


def test_a_number_that_no_record_has_is_refused(quickstart: Quickstart) -> None:
    result = inspect(quickstart, "--stage", "build", "--index", "5000")
    assert result.code == 2
    assert "--index 5000: no such record; their numbers: 0 to " in result.err


def test_records_are_exported_to_a_file(quickstart: Quickstart, tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    result = inspect(quickstart, "--stage", "build", "--export", str(file))
    every = records(inspect(quickstart, "--stage", "build", "--json").out)
    assert records(file.read_text()) == every
    assert f"{len(every)} records -> {file}" in result.out


def test_a_file_that_cannot_be_written_is_named(quickstart: Quickstart, tmp_path: Path) -> None:
    result = inspect(quickstart, "--stage", "build", "--export", str(tmp_path / "no" / "a.jsonl"))
    assert result.code == 2
    assert "a.jsonl: cannot be written: No such file or directory." in result.err


@pytest.mark.parametrize(
    ("flag", "gone"), [("--no-images", "images"), ("--no-code", "code_blocks")]
)
def test_images_and_code_can_be_left_out(quickstart: Quickstart, flag: str, gone: str) -> None:
    whole = records(inspect(quickstart, "--stage", "parse", "--json", "--count", "1").out)
    less = records(inspect(quickstart, "--stage", "parse", "--json", "--count", "1", flag).out)
    assert gone in whole[0]
    assert gone not in less[0]
    assert whole[0]["text"] == less[0]["text"]


def test_calls_that_did_not_fail_can_be_asked_for(quickstart: Quickstart) -> None:
    of = ("inspect-traces", "--config", str(QUICKSTART), "--json", "--count", "0")
    every = records(run(*of, cwd=quickstart.cwd).out)
    good = records(run(*of, "--success", cwd=quickstart.cwd).out)
    bad = records(run(*of, "--failed", cwd=quickstart.cwd).out)
    assert good
    assert len(good) + len(bad) == len(every)
    assert not any(call["error"] for call in good)


def test_a_number_that_no_call_has_is_refused(quickstart: Quickstart) -> None:
    of = ("inspect-traces", "--config", str(QUICKSTART))
    result = run(*of, "--index", "99999", cwd=quickstart.cwd)
    assert result.code == 2
    assert "--index 99999: no such call is among those asked for: " in result.err


def test_failed_and_successful_calls_cannot_both_be_asked_for(quickstart: Quickstart) -> None:
    of = ("inspect-traces", "--config", str(QUICKSTART))
    result = run(*of, "--failed", "--success", cwd=quickstart.cwd)
    assert result.code == 2
    assert "--failed and --success exclude each other" in result.err


def test_no_document_steers_the_terminal(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# Red \x1b[31m\x9b2J\n\n\tA datum\x07 is a fixed level.\r\n")
    (tmp_path / "c.yaml").write_text("sources: [{path: docs}]\ndataset: {name: steering}\n")
    assert run("parse", "--config", "c.yaml", cwd=tmp_path).code == 0
    shown = run("inspect", "--stage", "parse", "--config", "c.yaml", cwd=tmp_path).out
    assert r"# Red \x1b[31m\x9b2J" in shown
    assert not set(shown) & {"\x1b", "\x9b", "\x07", "\r"}
