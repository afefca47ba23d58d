"""Runs attacks in bubblewrap and prints what became of them: `python ordinary_user.py < names`.

Needs the standard library, `sandbox` and `attacks` beside it only, so that any Python that an
ordinary user may read can run it. Enters: JSON with the names of attacks, and a folder of packages
or "". Leaves: one JSON line an attack: `[id, passed, reason, next passed]`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from pathlib import Path

from attacks import HONEST, TEST, Attack, cases  # type: ignore[import-not-found]

from sandbox import Job, Limits, doctor, open_sandbox
from sandbox.bwrap_backend import BwrapBackend
from sandbox.pool import Pool
from sandbox.records import Mode

LIMITS = Limits(timeout_s=10.0, memory_mb=256, address_space_mb=2048, output_kb=128)


def say(*row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


async def attack_all(waiting: deque[tuple[str, Attack, Mode]]) -> None:
    """One box, one attack after the other; several of these run beside each other."""
    async with open_sandbox("bwrap", limits=LIMITS, workers=1) as box:
        while waiting:
            name, attack, mode = waiting.popleft()
            job = Job(attack.solution, attack.test, mode=mode, timeout_s=attack.timeout_s)
            verdict = await box.verify(job)
            honest = await box.verify(Job(HONEST, TEST, mode=mode))
            say(name, verdict.passed, verdict.reason, honest.passed)


async def look() -> None:
    async with open_sandbox("bwrap", limits=LIMITS, workers=1) as box:
        seen = await box.evaluate(
            "import os", ["os.path.exists('/etc/passwd')", "sorted(os.listdir('/'))"]
        )
        say("seen", *(value.value for value in seen))
        job = Job("def f(): return list({'a', 'b', 'c', 'd'})\n", "assert f() == 0\n")
        orders = {(await box.verify(Job(job.solution, job.test, world=n))).message for n in (0, 1)}
        say("orders", len(orders))


async def use_packages(site: Path) -> None:
    async with Pool(BwrapBackend(LIMITS, ["boxed"], site), LIMITS, 1) as box:
        verdict = await box.verify(
            Job("import boxed\ndef f(): return boxed.VALUE\n", "assert f() == 7")
        )
        say("packages", verdict.passed, verdict.message)


async def main() -> None:
    asked = json.load(sys.stdin)
    waiting = deque(case for case in cases() if case[0] in set(asked["names"]))
    await asyncio.gather(*(attack_all(waiting) for _ in range(2)))
    await look()
    await use_packages(Path(asked["site"]))


asyncio.run(main())
reports = {report.backend: report for report in doctor()}
say("doctor", reports["bwrap"].available, reports["bwrap"].enforces)
