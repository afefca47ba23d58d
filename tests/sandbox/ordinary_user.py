"""Runs every attack in bubblewrap and prints what became of it: `python ordinary_user.py`.

Needs the standard library, `sandbox` and `attacks` beside it only, so that any Python that an
ordinary user may read can run it. One JSON line an attack: `[id, passed, reason, next passed]`.
"""

from __future__ import annotations

import asyncio
import json
import sys

from attacks import HONEST, TEST, cases  # type: ignore[import-not-found]

from sandbox import Job, Limits, doctor, open_sandbox

LIMITS = Limits(timeout_s=10.0, memory_mb=256, address_space_mb=2048, output_kb=128)


def say(*row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


async def main() -> None:
    async with open_sandbox("bwrap", limits=LIMITS, workers=2) as box:
        for name, attack, mode in cases("bwrap"):
            job = Job(attack.solution, attack.test, mode=mode, timeout_s=attack.timeout_s)
            verdict = await box.verify(job)
            honest = [await box.verify(Job(HONEST, TEST, mode=mode)) for _ in range(2)]
            after = all(v.passed for v in honest)
            say(name, verdict.passed, verdict.reason, after)
        home = await box.evaluate(
            "import os", ["os.path.exists('/etc/passwd')", "sorted(os.listdir('/'))"]
        )
        say("seen", *(value.value for value in home))


asyncio.run(main())
reports = {report.backend: report for report in doctor()}
say("doctor", reports["bwrap"].available, reports["bwrap"].enforces)
