"""verify: runs the tests of any dataset of programs in the sandbox."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from sandbox import Job, SandboxError, Verdict, job_from_row
from sandbox.verify import SOLUTION_COLUMNS, TEST_COLUMNS
from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.errors import SetupError, UserError
from synth_dspy.recipes.resources import Resources

_AT_ONCE = 64


def verify_file(
    context: Context,
    path: Path,
    *,
    columns: Mapping[str, str],
    timeout_s: float,
    json_lines: bool,
) -> int:
    """Verify every record, in order; 0 when all pass, 1 when one does not.

    Raises:
        UserError: the file is missing, is not JSON lines, or lacks a column.
        SetupError: no sandbox can run here, or it broke for good.
    """
    rows = list(_rows(path))
    jobs = []
    for line, row in rows:
        try:
            jobs.append(replace(_job(row, columns), timeout_s=timeout_s))
        except (KeyError, ValueError) as error:
            raise UserError(f"{path}, line {line}: {error.args[0]}") from error
    sandbox = Resources(context.config, context.console.print).sandbox

    async def work() -> Counter[str]:
        reasons: Counter[str] = Counter()
        sandbox.open()
        async with sandbox:
            for start in range(0, len(jobs), _AT_ONCE):
                batch = jobs[start : start + _AT_ONCE]
                verdicts = await asyncio.gather(*(sandbox.verify(job) for job in batch))
                for at, verdict in enumerate(verdicts, start):
                    reasons[verdict.reason] += 1
                    _tell(at, rows[at][1], verdict, json_lines=json_lines)
        return reasons

    try:
        reasons = asyncio.run(work())
    except SandboxError as error:
        raise SetupError(f"The sandbox broke: {error}") from error
    passed, total = reasons["ok"], len(jobs)
    context.console.print(
        f"{passed} of {total} passed"
        + "".join(f", {n} {reason}" for reason, n in reasons.most_common() if reason != "ok"),
        highlight=False,
    )
    return 0 if passed == total else 1


def _tell(index: int, row: Mapping[str, Any], verdict: Verdict, *, json_lines: bool) -> None:
    task_id = str(row.get("task_id", index))
    if json_lines:
        print_json(
            {
                "index": index,
                "task_id": task_id,
                "passed": verdict.passed,
                "reason": verdict.reason,
                "tests": verdict.tests,
                "message": verdict.message,
                "assurance": verdict.assurance,
                "isolation": verdict.isolation,
                "seconds": round(verdict.seconds, 4),
            }
        )
    elif not verdict.passed:
        show(f"{task_id}: {verdict.reason}: {verdict.message.strip().splitlines()[-1:]}")


def _job(row: Mapping[str, Any], columns: Mapping[str, str]) -> Job:
    return job_from_row(
        row,
        prompt=columns["prompt"],
        solution=columns["solution"] or SOLUTION_COLUMNS,
        test=columns["test"] or TEST_COLUMNS,
        entry_point=columns["entry_point"],
    )


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    rows = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UserError(f"{path}, line {number}: not JSON ({error}).") from error
        if not isinstance(row, dict):
            raise UserError(f"{path}, line {number}: a JSON object is needed, with its columns.")
        rows.append((number, row))
    if not rows:
        raise UserError(f"{path} holds no record; one JSON object a line is needed.")
    return rows
