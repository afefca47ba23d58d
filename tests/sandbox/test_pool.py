"""The pool outlives its workers: what breaks is replaced, and only a broken box is an error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sandbox import Job, Limits, SandboxError
from sandbox.decide import Reply
from sandbox.measure import wrong_versions
from sandbox.pool import Pool
from sandbox.process_backend import ProcessBackend
from sandbox.records import Isolation
from sandbox.wire import Channel, WorkerDied

JOB = Job("def f(): return 1\n", "assert f() == 1\n")


class Fragile:
    """A backend whose channels die when `dies` says so for a solution."""

    isolation: Isolation = "process"

    def __init__(self, dies: Callable[[bytes], bool]) -> None:
        self.inner = ProcessBackend(Limits())
        self.dies = dies
        self.started = 0
        self.channels: list[Channel] = []
        self.seeds: list[int] = []

    def start(self, hash_seed: int = 0) -> Channel:
        self.started += 1
        self.seeds.append(hash_seed)
        channel = self.inner.start(hash_seed)
        ask = channel.ask

        def asked(header: dict[str, object], solution: bytes, task: bytes, grace_s: float) -> Reply:
            if self.dies(solution):
                raise WorkerDied("it died")
            return ask(header, solution, task, grace_s)

        channel.ask = asked  # type: ignore[method-assign]
        self.channels.append(channel)
        return channel

    def header(self) -> dict[str, int]:
        return self.inner.header()

    def close(self) -> None:
        self.inner.close()


async def verdicts(backend: Fragile, *jobs: Job, limits: Limits | None = None) -> list[str]:
    async with Pool(backend, limits or Limits(), 1) as pool:
        return [(await pool.verify(job)).reason for job in jobs]


def test_a_worker_that_dies_once_is_replaced_and_nobody_notices() -> None:
    deaths = iter([True])
    backend = Fragile(lambda _: next(deaths, False))
    assert asyncio.run(verdicts(backend, JOB)) == ["ok"]
    assert backend.started == 2


def test_a_job_that_kills_every_worker_is_a_verdict() -> None:
    backend = Fragile(lambda solution: b"bad" in solution)
    bad = Job("def bad(): return 1\n", "assert bad() == 1\n")
    assert asyncio.run(verdicts(backend, bad, JOB)) == ["sandbox_error", "ok"]


def test_a_box_that_fails_honest_code_too_is_an_error() -> None:
    with pytest.raises(SandboxError, match="broke three times"):
        asyncio.run(verdicts(Fragile(lambda _: True), JOB))


def test_a_worker_is_replaced_after_its_share_of_jobs() -> None:
    backend = Fragile(lambda _: False)
    limits = Limits(jobs_per_worker=2)
    assert asyncio.run(verdicts(backend, *[JOB] * 5, limits=limits)) == ["ok"] * 5
    assert backend.started == 3


def test_nothing_runs_after_the_pool_was_closed() -> None:
    async def late() -> None:
        pool = Pool(Fragile(lambda _: False), Limits(), 1)
        await pool.aclose()
        await pool.aclose()
        await pool.verify(JOB)

    with pytest.raises(SandboxError, match="closed"):
        asyncio.run(late())


def test_other_worlds_have_workers_of_their_own_which_are_used_again() -> None:
    backend = Fragile(lambda _: False)
    jobs = [replace(JOB, world=world) for world in (0, 1, 2, 3, 4, 0)]
    assert asyncio.run(verdicts(backend, *jobs)) == ["ok"] * 6
    assert backend.started == len(set(backend.seeds)) == 3


def test_mutants_are_made_outside_of_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[str] = set()

    def seen(*args: Any) -> Any:
        threads.add(threading.current_thread().name)
        return wrong_versions(*args)

    monkeypatch.setattr("sandbox.pool.wrong_versions", seen)

    async def work() -> int:
        async with Pool(Fragile(lambda _: False), Limits(), 1) as pool:
            return (await pool.measure(JOB, max_mutants=3)).mutants_run

    assert asyncio.run(work()) > 0
    assert not threads & {threading.main_thread().name}
    assert threads


def test_no_worker_starts_before_the_first_job() -> None:
    backend = Fragile(lambda _: False)
    assert asyncio.run(verdicts(backend)) == []
    assert backend.started == 0


def test_the_event_loop_is_free_while_jobs_run() -> None:
    async def both() -> int:
        ticks = 0
        async with Pool(Fragile(lambda _: False), Limits(), 1) as pool:
            slow = Job("import time\ndef f(): time.sleep(0.5); return 1\n", JOB.test)
            task = asyncio.ensure_future(pool.verify(slow))
            while not task.done():
                ticks += 1
                await asyncio.sleep(0.01)
        return ticks

    assert asyncio.run(both()) > 10
