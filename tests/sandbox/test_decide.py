"""The verdict is a pure function: every way in which a reply can be short of a pass."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sandbox.decide import Reply, decide
from sandbox.static import Plan

NONCE = "n"
PLAN = Plan(expected=("a", "b"))
RECORD = {"nonce": NONCE, "results": [["a", "pass", ""], ["b", "pass", ""]], "calls": 2}


def reply(said: object = RECORD, **changes: object) -> Reply:
    line = json.dumps(said).encode() + b"\n"
    base = Reply(0, -9, "", 0, line, b"", b"", 0.1, clean=True)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_complete_reply_passes() -> None:
    decision = decide(reply(), PLAN, NONCE, 1.0)
    assert (decision.reason, decision.tests) == ("ok", 2)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (reply(stopped="timeout"), "timeout"),
        (reply(stopped="output_limit"), "output_limit"),
        (reply(stopped="memory"), "memory"),
        (reply(oom_kills=1), "memory"),
        (reply(exit=1), "no_result"),
        (reply(record=b""), "no_result"),
        (reply(record=b"{}\n{}\n"), "tampered"),
        (reply(record=b"not json\n"), "tampered"),
        (reply(record=b"[" * 100_000 + b"\n"), "tampered"),
        (reply({**RECORD, "nonce": "other"}), "tampered"),
        (reply({**RECORD, "results": "all pass"}), "tampered"),
        (reply({**RECORD, "results": [["a", "pass"]]}), "tampered"),
        (reply({**RECORD, "tampered": ["math.isclose"]}), "tampered"),
        (reply({**RECORD, "canaries": ["canary_all"]}), "tampered"),
        (reply({**RECORD, "results": [["a", "pass", ""]]}), "no_result"),
        (reply({**RECORD, "results": []}), "no_result"),
        (reply({**RECORD, "calls": 0}), "no_tests"),
        (reply({**RECORD, "results": [["a", "fail", "x"], ["b", "pass", ""]]}), "assertion"),
        (reply({**RECORD, "results": [["a", "error", "x"], ["b", "pass", ""]]}), "error"),
        (reply({**RECORD, "results": [["a", "skip", "x"], ["b", "pass", ""]]}), "error"),
        (reply({"nonce": NONCE, "phase": "solution", "type": "SyntaxError"}), "syntax"),
        (reply({"nonce": NONCE, "phase": "solution", "type": "MemoryError"}), "memory"),
        (reply({"nonce": NONCE, "phase": "gone", "type": "", "message": "x"}), "no_result"),
    ],
)
def test_anything_short_of_that_does_not(given: Reply, reason: str) -> None:
    assert decide(given, PLAN, NONCE, 1.0).reason == reason


def test_a_value_that_cannot_cross_asks_for_one_process() -> None:
    record = {**RECORD, "unsupported": [{"side": "test", "type": "x.Y"}]}
    assert decide(reply(record), PLAN, NONCE, 1.0).unshareable


def test_a_value_equal_to_everything_does_not() -> None:
    record = {**RECORD, "unsupported": [{"side": "solution", "type": "x.Y", "universal": True}]}
    decision = decide(reply(record), PLAN, NONCE, 1.0)
    assert (decision.reason, decision.unshareable) == ("tampered", False)
