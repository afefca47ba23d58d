"""What a run tells, for people and as JSON lines."""

from __future__ import annotations

import io
import json

from rich.console import Console

from synth_dspy.outcomes import Tally
from synth_dspy.runners.progress import Reporter


def told(*, as_json: bool, quiet: bool = False) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=400)
    with Reporter(console, quiet=quiet, as_json=as_json) as reporter:
        reporter.say("10 docs from 10 files")
        reporter.say("")
        reporter.start("parse", 3)
        reporter.finish(Tally("parse", taken=3, kept=2, outputs=2, dropped={"empty": 1}), "files")
    return text.getvalue().splitlines()


def test_people_are_told_in_words() -> None:
    first, _, closing = told(as_json=False)
    assert first == "10 docs from 10 files"
    assert closing.startswith("parse              3 files in | 2 kept | 1 dropped (empty 1)")


def test_log_collectors_are_told_in_json_lines() -> None:
    message, stage = map(json.loads, told(as_json=True))
    assert message["event"] == "message"
    assert message["message"] == "10 docs from 10 files"
    assert stage["event"] == "stage"
    assert (stage["stage"], stage["in"], stage["kept"]) == ("parse", 3, 2)
    assert stage["dropped"] == {"empty": 1}


def test_quiet_is_quiet_in_either_form() -> None:
    assert told(as_json=True, quiet=True) == told(as_json=False, quiet=True) == []
