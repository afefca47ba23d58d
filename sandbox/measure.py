"""How strong a test is: every stub and enough mutants of the solution have to fail it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from sandbox.mutate import Mutant, sample, stubs
from sandbox.records import Job, Strength, Verdict
from sandbox.static import plan

Verify = Callable[[Job], Awaitable[Verdict]]

_SLOWER = 10.0  # a mutant may take this many times what the solution took: it may loop for ever
_LEAST_S = 0.5


@dataclass(frozen=True, slots=True)
class WrongVersions:
    """Of one solution: stubs, which do nothing, and mutants, which differ in one place."""

    stubs: list[Mutant]
    mutants: list[Mutant]


def wrong_versions(job: Job, max_mutants: int, seed: int) -> WrongVersions:
    """What the job's test will be tried on; none if the solution is not Python. CPU only."""
    planned = plan(job)
    if planned.problem is not None:
        return WrongVersions([], [])
    entry = job.entry_point or planned.entry_point
    return WrongVersions(stubs(job.solution, entry), sample(job.solution, max_mutants, seed))


async def measure(verify: Verify, job: Job, wrong: WrongVersions) -> Strength:
    """Runs the job, then its stubs and mutants, all at once (the pool queues them).

    A job that does not pass itself has no strength: all counts are 0.
    """
    baseline = await verify(job)
    if not baseline.passed:
        return Strength(0, (), 0, 0, ())
    timeout_s = max(_LEAST_S, _SLOWER * baseline.seconds)
    if job.timeout_s is not None:
        timeout_s = min(timeout_s, job.timeout_s)
    empty, changed = wrong.stubs, wrong.mutants
    verdicts = await asyncio.gather(
        *(verify(_with(job, mutant, timeout_s)) for mutant in [*empty, *changed])
    )
    passed = [verdict.passed for verdict in verdicts]
    survivors = [m.label for m, p in zip(changed, passed[len(empty) :], strict=True) if p]
    return Strength(
        stubs_run=len(empty),
        stubs_passed=tuple(m.label for m, p in zip(empty, passed, strict=False) if p),
        mutants_run=len(changed),
        mutants_killed=len(changed) - len(survivors),
        survivors=tuple(survivors),
    )


def _with(job: Job, mutant: Mutant, timeout_s: float) -> Job:
    return replace(job, solution=mutant.source, timeout_s=timeout_s)
