"""What `--help` says: every value that a command takes is named, and no command is left out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from synth_dspy.run import app


def _walk(command: Any, path: tuple[str, ...], parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=path[-1], parent=parent)
    yield shlex.join(path), command.get_help(context)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, (*path, name), context)


HELP = dict(_walk(typer.main.get_command(app), ("synth-dspy",), None))


def test_the_walk_finds_the_commands_of_groups_too() -> None:
    assert {"synth-dspy pipeline", "synth-dspy programs diff", "synth-dspy gold import"} <= set(
        HELP
    )
    assert len(HELP) > 40


@pytest.mark.parametrize("command", sorted(HELP))
def test_no_option_and_no_argument_is_told_by_its_type(command: str) -> None:
    assert re.findall(r"<[a-z\[\] ]+>", HELP[command]) == []


@pytest.mark.parametrize("command", sorted(HELP))
def test_every_line_of_help_says_something(command: str) -> None:
    listed = re.findall(r"^  (-{1,2}\w[^\n]*)$", HELP[command], re.MULTILINE)
    assert listed
    # A name that is too long for its column has its words on the next line.
    following = HELP[command].splitlines()
    for line in listed:
        after = following[following.index(f"  {line}") + 1 :][:1]
        assert re.search(r"\S  +\S", line) or (after and after[0].startswith("     ")), line


def test_an_argument_stands_in_the_usage_by_the_name_that_it_is_explained_by() -> None:
    assert "programs diff [OPTIONS] {STEP} [HASH] [HASH]" in HELP["synth-dspy programs diff"]
    assert re.search(r"^  STEP +A step", HELP["synth-dspy programs diff"], re.MULTILINE)
