"""The verdict, decided on the host by a pure function from what the worker saw.

A pass needs all of: the test's process ended with 0, no limit was hit, exactly one record on the
private pipe, with the nonce that only the test's side was given, every expected test among the
results, every result a pass, every canary failed as it should, nothing tampered with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox.records import Reason
from sandbox.static import Plan

MAX_MESSAGE = 3_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker reports about one job.

    Attributes:
        exit: status of the test's process, as `subprocess` has it.
        solution_exit: of the solution's own process; None if there was none.
        stopped: `timeout`, `output_limit`, `memory`, or "" if the job ended by itself.
        oom_kills: processes of this job that the kernel killed for memory.
        record: what came through the private pipe.
        clean: nothing of the job was left behind.
    """

    exit: int
    solution_exit: int | None
    stopped: str
    oom_kills: int
    record: bytes
    output: bytes
    errors: bytes
    seconds: float
    clean: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """`unshareable`: the job has to be run again in one process to be decided."""

    reason: Reason
    message: str = ""
    tests: int = 0
    unshareable: bool = False


def decide(reply: Reply, plan: Plan, nonce: str, timeout_s: float) -> Decision:
    """What a reply means. Pure."""
    if reply.oom_kills or reply.stopped == "memory":
        return Decision("memory", "it used more memory than the sandbox allows")
    if reply.stopped == "timeout":
        return Decision("timeout", f"it did not end within {timeout_s:g} s")
    if reply.stopped == "output_limit":
        return Decision("output_limit", "it printed more than the sandbox allows")
    lines = reply.record.splitlines()
    if len(lines) != 1:
        return _without_record(reply, len(lines))
    record = _parse(lines[0])
    if record is None or record.get("nonce") != nonce:
        return Decision("tampered", "a result was written that the test did not write")
    if reply.exit != 0:
        return Decision("no_result", f"the test's process ended with status {reply.exit}")
    if "phase" in record:
        return _not_run(record)
    return _results(record, plan)


def _without_record(reply: Reply, lines: int) -> Decision:
    if lines > 1:
        return Decision("tampered", "results were written that the test did not write")
    status = reply.exit
    tail = reply.errors[-500:].decode(errors="replace").strip() if status == 97 else ""
    detail = f": {tail.splitlines()[-1]}" if tail else ""
    message = f"the process ended with status {status} before the tests did{detail}"
    return Decision("memory" if "MemoryError" in tail else "no_result", message)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _not_run(record: dict[str, Any]) -> Decision:
    kind, message = str(record.get("type")), str(record.get("message"))[:MAX_MESSAGE]
    if kind == "Tampered":
        return Decision("tampered", message)
    if record["phase"] == "gone":
        return Decision("no_result", message)
    if record.get("missing"):
        return Decision("missing_package", message)
    reasons: dict[str, Reason] = {
        "MemoryError": "memory", "AssertionError": "assertion", "SyntaxError": "syntax",
        "IndentationError": "syntax", "TabError": "syntax",
    }  # fmt: skip
    where = "while the solution was loaded" if record["phase"] == "solution" else "in the test"
    return Decision(reasons.get(kind, "error"), f"{where}: {message}")


def _results(record: dict[str, Any], plan: Plan) -> Decision:
    results = record.get("results")
    if not isinstance(results, list) or not all(_is_result(r) for r in results):
        return Decision("tampered", "the result is not one that a test can have")
    tests = len(results)
    unsupported = [u for u in record.get("unsupported", []) if isinstance(u, dict)]
    if any(u.get("universal") for u in unsupported):
        kind = next(str(u["type"]) for u in unsupported if u.get("universal"))
        text = f"the solution returned a {kind} that claims to be equal to anything"
        return Decision("tampered", text, tests)
    if record.get("tampered") or record.get("canaries"):
        what = [*record.get("tampered", []), *record.get("canaries", [])]
        return Decision("tampered", f"the solution changed {', '.join(map(str, what))}", tests)
    failed = [r for r in results if r[1] != "pass"]
    if unsupported:
        text = failed[0][2] if failed else f"a value could not cross: {unsupported[0].get('type')}"
        return Decision("error", text[:MAX_MESSAGE], tests, unshareable=True)
    if failed:
        return _failure(failed, tests)
    missing = [name for name in plan.expected if name not in {r[0] for r in results}]
    if missing:
        return Decision("no_result", f"these tests did not run: {', '.join(missing[:5])}", tests)
    if not results:
        return Decision("no_tests", "no test ran")
    if record.get("calls") == 0 and not plan.uses_solution:
        return Decision("no_tests", "the test never called the solution", tests)
    return Decision("ok", "", tests)


def _is_result(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(isinstance(x, str) for x in value)


def _failure(failed: list[list[str]], tests: int) -> Decision:
    kinds = [kind for _, kind, _ in failed]
    first = failed[0]
    text = "\n\n".join(f"{name}: {message}" for name, _, message in failed[:3])
    if len(failed) > 3:
        text += f"\n\n... and {len(failed) - 3} more of {tests} tests failed"
    reason: Reason = "assertion" if kinds[0] == "fail" else "error"
    if first[2].startswith("MemoryError"):
        reason = "memory"
    elif first[2].startswith("ModuleNotFoundError"):
        reason = "missing_package"
    return Decision(reason, text[:MAX_MESSAGE], tests)
