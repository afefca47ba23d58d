"""Hostile names and documents: no escape sequence of theirs reaches the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commandline import Result, overrides, run
from tests.loopback import Loopback, Prompt

NAME = "a\x1b[31m.md"


@pytest.fixture
def hostile(project: Path) -> Path:
    """The small project with a page, a broken notebook and a pipe whose names are sequences."""
    docs = project / "docs"
    (docs / NAME).write_text("# Rain\x1b[2J\n\nA gauge is an \x9b31minstrument.\n")
    (docs / "b\x1b[31m.ipynb").write_text("{")
    os.mkfifo(docs / "c\x1b[31m.md")
    return project


@pytest.mark.parametrize("shown", [(), ("--failed",), ("--json",)])
def test_records_are_shown_with_their_sequences_spelled(
    hostile: Path, small: Callable[..., Result], shown: tuple[str, ...]
) -> None:
    told = small("parse")
    assert told.code == 0, told.err
    assert "passed over c\\x1b[31m.md" in told.err
    result = small("inspect", "--stage", "parse", "--count", "0", *shown)
    assert ("\\u001b[31m" if "--json" in shown else "\\x1b[31m") in result.out
    for text in (told.out, told.err, result.out, result.err):
        assert "\x1b" not in text
        assert "\x9b" not in text


def test_progress_in_json_is_json_with_such_names_too(
    hostile: Path, small: Callable[..., Result]
) -> None:
    result = small("parse", "--log-json")
    messages = [json.loads(line).get("message", "") for line in result.err.splitlines()]
    assert any("c\x1b[31m.md" in message for message in messages)
    assert "\x1b" not in result.err


def test_an_error_that_names_such_a_file_is_spelled(hostile: Path) -> None:
    result = run("pipeline", "--config", f"{NAME}.yaml", cwd=hostile, env={"FORCE_COLOR": "1"})
    assert result.code == 2
    assert "a\\x1b[31m.md.yaml does not exist" in result.err
    assert "\x1b" not in result.err


def test_a_models_reply_is_shown_spelled(project: Path, small: Callable[..., Result]) -> None:
    def answer(prompt: Prompt) -> str | None:
        return "\x1b]0;owned\x07 no." if "teaches" in prompt.asked else None

    with Loopback(answer) as server:
        endpoint = f"[{{name: all, base_url: '{server.url}', model_name: m, max_retries: 1}}]"
        told = small("pipeline", "--verbose", *overrides(models__endpoints=endpoint))
        shown = small("inspect-traces", "--failed")
    assert "\\x1b]0;owned\\x07" in shown.out
    for text in (told.err, shown.out, shown.err):
        assert "\x1b" not in text
        assert "\x07" not in text
