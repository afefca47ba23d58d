"""Text that came from elsewhere is printed, never obeyed."""

from __future__ import annotations

import io
import json

import pytest

from synth_dspy.commands.context import PlainConsole
from synth_dspy.runners.progress import Reporter
from synth_dspy.terminal import spelled, spelled_json

CONTROLS = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160))]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: f"{ord(c):02x}")
def test_every_control_character_is_spelled(control: str) -> None:
    assert spelled(f"a{control}b") == f"a\\x{ord(control):02x}b"


def test_tabs_ends_of_lines_and_letters_of_any_script_stay() -> None:
    text = "Ω\tδ\n東京 é"
    assert spelled(text) == text


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: f"{ord(c):02x}")
def test_what_is_spelled_in_json_reads_as_it_was(control: str) -> None:
    line = spelled_json(json.dumps({"a": f"b{control}c"}, ensure_ascii=False))
    assert not set(line) & set(CONTROLS)
    assert json.loads(line) == {"a": f"b{control}c"}


def test_a_console_prints_no_escape_sequence() -> None:
    console = PlainConsole()
    console.file = io.StringIO()
    console.print("a\x1b[31m.md", highlight=False, markup=False)
    assert console.file.getvalue() == "a\\x1b[31m.md\n"


def test_a_reporters_json_holds_no_escape_sequence_and_stays_json() -> None:
    console = PlainConsole()
    console.file = io.StringIO()
    Reporter(console, as_json=True).say("a\x9b31m \x1b[2J")
    line = console.file.getvalue()
    assert not set(line) & set(CONTROLS)
    assert json.loads(line)["message"] == "a\x9b31m \x1b[2J"
