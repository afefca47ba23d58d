"""Expressions out, values back: the host's half of `evaluate`. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sandbox.decide import Reply
from sandbox.image import decoding
from sandbox.records import Evaluation

_BUDGET = 300_000  # characters of all encoded values together; they wait in one pipe


def task_of(expressions: Sequence[str], nonce: str) -> bytes:
    """What the child reads after the program."""
    task = {"nonce": nonce, "expressions": list(expressions), "budget": _BUDGET}
    return json.dumps(task).encode() + b"\n"


def values_of(reply: Reply | None, count: int, nonce: str, timeout_s: float) -> list[Evaluation]:
    """One evaluation for each expression, whatever became of the child."""
    if reply is None:
        return [Evaluation(False, "", "the code broke the sandbox twice")] * count
    found: dict[int, Evaluation] = {}
    for line in reply.record.splitlines():
        record = _parse(line)
        if record is None or record.get("nonce") != nonce:
            continue
        if record.get("i") == -1:
            error = f"the program failed: {record.get('error')}"
            return [Evaluation(False, "", error[:2_000])] * count
        if isinstance(record.get("i"), int):
            found.setdefault(record["i"], _evaluation(record))
    ended = _ending(reply, timeout_s)
    return [found.get(i, Evaluation(False, "", ended)) for i in range(count)]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _evaluation(record: dict[str, Any]) -> Evaluation:
    printed = str(record.get("printed", ""))
    if "error" in record:
        return Evaluation(False, "", str(record["error"])[:2_000], printed)
    try:
        value = decoding.decode(record.get("value"))
        if decoding.is_literal(value):
            return Evaluation(True, repr(value), "", printed)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, ArithmeticError) as error:
        return Evaluation(False, "", f"a value that cannot be read: {error}"[:300], printed)
    kind = type(value).__name__
    return Evaluation(False, "", f"a {kind} cannot be written as a literal", printed)


def _ending(reply: Reply, timeout_s: float) -> str:
    if reply.stopped == "timeout":
        return f"it did not end within {timeout_s:g} s"
    if reply.oom_kills or reply.stopped == "memory":
        return "it used more memory than the sandbox allows"
    if reply.stopped:
        return "it printed more than the sandbox allows"
    return f"the process ended with status {reply.exit} before this expression"
