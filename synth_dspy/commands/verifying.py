"""verify: runs the tests of any dataset of programs in the sandbox, and measures the tests."""

from __future__ import annotations

import asyncio
import codecs
import gzip
import time
import zlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sandbox import Job, Sandbox, SandboxError, Strength, Verdict, job_from_row
from sandbox.verify import SOLUTION_COLUMNS, TEST_COLUMNS
from synth_dspy.commands.context import Context, print_json, show
from synth_dspy.errors import SetupError, UserError
from synth_dspy.recipes.resources import Resources

# Far more than there are workers, since one record that hangs holds back the lines after it.
_AT_ONCE = 2_000
# A solution and its tests, and far more; also where a packed file without end is given up.
_MAX_LINE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Measuring:
    """Whether the tests of passing records are tried on wrong solutions, and on how many.

    Attributes:
        mutants: at most this many of each solution; 0 tries stubs only.
    """

    stubs: bool = False
    mutants: int = 0

    @property
    def asked(self) -> bool:
        """Whether there is anything to measure."""
        return self.stubs or self.mutants > 0


@dataclass
class Tally:
    """What is added up while records go by."""

    reasons: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    measured: int = 0
    let_stubs_through: int = 0
    mutants_run: int = 0
    mutants_killed: int = 0

    def add(self, verdict: Verdict, strength: Strength | None) -> None:
        """One record more."""
        self.reasons[verdict.reason] += 1
        if verdict.assurance != "none":
            self.ways[f"{verdict.assurance} in {verdict.isolation}"] += 1
        if strength is not None:
            self.measured += 1
            self.let_stubs_through += bool(strength.stubs_passed)
            self.mutants_run += strength.mutants_run
            self.mutants_killed += strength.mutants_killed

    def lines(self, seconds: float) -> list[str]:
        """The summary."""
        total, passed = self.reasons.total(), self.reasons["ok"]
        others = [f"{n} {reason}" for reason, n in self.reasons.most_common() if reason != "ok"]
        ways = [f"{n} {way}" for way, n in self.ways.most_common()] or ["none was run"]
        lines = [
            ", ".join([f"{passed} of {total} passed", *others]),
            f"{', '.join(ways)}; {seconds:.1f} s, {total / max(seconds, 1e-9):.0f} a second",
        ]
        if self.measured:
            text = f"tests: {self.let_stubs_through} of {self.measured} let a stub through"
            if self.mutants_run:
                share = self.mutants_killed / self.mutants_run
                text += (
                    f"; {self.mutants_killed} of {self.mutants_run} mutants killed ({share:.0%})"
                )
            lines.append(text)
        return lines


def verify_file(
    context: Context,
    path: Path,
    *,
    columns: Mapping[str, str],
    timeout_s: float,
    json_lines: bool,
    measuring: Measuring = Measuring(),
) -> int:
    """Verify every record, in order; 0 when all pass, 1 when one does not.

    Raises:
        UserError: the file is missing, is not JSON lines, or lacks a column.
        SetupError: no sandbox can run here, or it broke for good.
    """
    rows = _rows(path)
    jobs = []
    for line, row in rows:
        try:
            jobs.append(replace(_job(row, columns), timeout_s=timeout_s))
        except (KeyError, ValueError) as error:
            raise UserError(f"{path}, line {line}: {error.args[0]}") from error
    sandbox = Resources(context.config, context.say).sandbox
    tally = Tally()
    columns_shown = (TextColumn("verify"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    live = context.console.is_terminal and not json_lines
    bar = Progress(*columns_shown, console=context.console, transient=True, disable=not live)

    async def work() -> None:
        sandbox.open()
        async with sandbox:
            with bar:
                task = bar.add_task("verify", total=len(jobs))
                at = 0
                async for verdict, strength in _in_order(sandbox, jobs, measuring, context):
                    tally.add(verdict, strength)
                    _tell(at, rows[at][1], verdict, strength, json_lines=json_lines)
                    bar.advance(task)
                    at += 1

    started = time.perf_counter()
    try:
        asyncio.run(work())
    except SandboxError as error:
        raise SetupError(f"The sandbox broke: {error}") from error
    for line_of_summary in tally.lines(time.perf_counter() - started):
        context.say(line_of_summary)
    return 0 if tally.reasons["ok"] == len(jobs) else 1


async def _in_order(
    sandbox: Sandbox, jobs: Sequence[Job], measuring: Measuring, context: Context
) -> AsyncIterator[tuple[Verdict, Strength | None]]:
    """What became of each job, in their order, while later ones run already."""
    seed = context.config.seed

    async def one(job: Job) -> tuple[Verdict, Strength | None]:
        verdict = await sandbox.verify(job)
        if not verdict.passed or not measuring.asked:
            return verdict, None
        return verdict, await sandbox.measure(job, max_mutants=measuring.mutants, seed=seed)

    running: deque[asyncio.Task[tuple[Verdict, Strength | None]]] = deque()
    try:
        for job in jobs:
            if len(running) == _AT_ONCE:
                yield await running.popleft()
            running.append(asyncio.ensure_future(one(job)))
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _tell(
    index: int,
    row: Mapping[str, Any],
    verdict: Verdict,
    strength: Strength | None,
    *,
    json_lines: bool,
) -> None:
    task_id = str(row.get("task_id", index))
    if not json_lines:
        last = verdict.message.strip().splitlines()[-1:]
        if not verdict.passed:
            show(": ".join([task_id, verdict.reason, *last]))
        elif strength is not None and (strength.stubs_passed or strength.survivors):
            show(
                f"{task_id}: passes with {', '.join((*strength.stubs_passed, *strength.survivors))}"
            )
        return
    record: dict[str, Any] = {
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
    if strength is not None:
        record |= {
            "stubs_run": strength.stubs_run,
            "stubs_passed": strength.stubs_passed,
            "mutants_run": strength.mutants_run,
            "mutants_killed": strength.mutants_killed,
            "survivors": strength.survivors,
        }
    print_json(record)


def _job(row: Mapping[str, Any], columns: Mapping[str, str]) -> Job:
    tests = (columns["test"],) if columns["test"] else TEST_COLUMNS
    if any(row.get(name) == "" for name in tests):
        # A question in words has no test: that is a verdict (`no_tests`), not a broken file.
        return Job("", "", str(row.get(columns["entry_point"]) or ""))
    prompt = columns["prompt"]
    if prompt == "prompt" and prompt not in row:
        prompt = "question"  # what this project's own datasets call it
    return job_from_row(
        row,
        prompt=prompt,
        solution=columns["solution"] or SOLUTION_COLUMNS,
        test=columns["test"] or TEST_COLUMNS,
        entry_point=columns["entry_point"],
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers; a file that unpacks to gigabytes is not held
    in memory."""
    try:
        with path.open("rb") as plain:
            packed = plain.peek(2)[:2] == b"\x1f\x8b"
            file = gzip.GzipFile(fileobj=plain) if packed else plain
            number = 0
            while line := file.readline(_MAX_LINE_BYTES):
                number += 1
                if len(line) == _MAX_LINE_BYTES:
                    raise UserError(
                        f"{path}, line {number}, is longer than {_MAX_LINE_BYTES >> 20} MiB; one "
                        "JSON object a line is needed."
                    )
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)  # as Windows' editors write it
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read: {reason}.") from error


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in _lines(path):
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
