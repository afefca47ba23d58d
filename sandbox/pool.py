"""Warm workers, used concurrently: the one implementation of `Sandbox`, over any backend.

Jobs wait in the pool's own threads (never asyncio's default executor). A worker that dies under a
job is replaced and the job tried once more; if that dies too, an honest job decides whether the
code is to blame (a failed verdict) or the box (SandboxError).
"""

from __future__ import annotations

import asyncio
import json
import queue
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from sandbox.backend import Backend
from sandbox.decide import Decision, Reply, decide
from sandbox.errors import SandboxError
from sandbox.evaluation import task_of, values_of
from sandbox.measure import measure, wrong_versions
from sandbox.records import Assurance, Evaluation, Isolation, Job, Limits, Strength, Verdict
from sandbox.static import Plan, plan
from sandbox.wire import Channel, WorkerDied

T = TypeVar("T")

HASH_SEEDS = (0, 7919, 104_729)  # of world 0, of odd worlds, of the other even ones
_GRACE_S = 15.0
_HONEST = Job("def one():\n    return 1\n", "assert one() == 1\n", timeout_s=10.0)


class Pool:
    """A sandbox of `workers` workers. Use it as `async with`, or call `aclose` at the end.

    Attributes:
        packages: hash of the packages that the box has besides the standard library, "" for none.
    """

    def __init__(self, backend: Backend, limits: Limits, workers: int, packages: str = "") -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}; at least one is needed")
        self.isolation: Isolation = backend.isolation
        self.packages = packages
        self.limits = limits
        self.workers = workers
        self.backend = backend
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")
        self._parsing = ThreadPoolExecutor(1, thread_name_prefix="sandbox-parsing")
        # By lane, so that worlds with other hash seeds have workers of their own, and only if used.
        self._idle: tuple[queue.LifoQueue[Channel | None], ...] = tuple(
            queue.LifoQueue() for _ in HASH_SEEDS
        )
        for lane in self._idle:
            for _ in range(workers):
                lane.put(None)
        self._closed = False

    async def verify(self, job: Job) -> Verdict:
        """Runs a job's tests against its solution.

        Raises:
            SandboxError: the box is broken; the verdict is not known.
        """
        planned = await self._in_thread(lambda: plan(job), self._parsing)
        return await self._in_thread(lambda: self._verify(job, planned))

    async def evaluate(
        self, source: str, expressions: Sequence[str], *, timeout_s: float = 5.0
    ) -> list[Evaluation]:
        """Runs a program, then each expression in its namespace, in order, in one child.

        Raises:
            SandboxError: the box is broken.
        """
        return await self._in_thread(lambda: self._evaluate(source, list(expressions), timeout_s))

    async def measure(self, job: Job, *, max_mutants: int = 20, seed: int = 0) -> Strength:
        """What the job's test does to stubs and mutants of the solution, which has to pass it.

        Raises:
            SandboxError: the box is broken.
        """
        wrong = await self._in_thread(lambda: wrong_versions(job, max_mutants, seed), self._parsing)
        return await measure(self.verify, job, wrong)

    async def aclose(self) -> None:
        """Ends every worker; waits until none is left. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _in_thread(
        self, work: Callable[[], T], threads: ThreadPoolExecutor | None = None
    ) -> T:
        if self._closed:
            raise SandboxError("the sandbox has been closed")
        return await asyncio.get_running_loop().run_in_executor(threads or self._threads, work)

    def _close(self) -> None:
        for threads in (self._parsing, self._threads):
            threads.shutdown(wait=True, cancel_futures=True)
        for lane in self._idle:
            while not lane.empty():
                channel = lane.get_nowait()
                if channel is not None:
                    channel.close()
        self.backend.close()

    def _verify(self, job: Job, planned: Plan) -> Verdict:
        timeout_s = job.timeout_s or self.limits.timeout_s
        if planned.problem is not None:
            reason, message = planned.problem
            return Verdict(False, reason, 0, message, "none", self.isolation, 0.0)
        mode: Assurance = "split" if planned.split else "inproc"
        decision, seconds = self._run(job, planned, mode, timeout_s)
        if decision.unshareable and mode == "split" and planned.may_fall_back:
            mode = "inproc"
            decision, more_seconds = self._run(job, planned, mode, timeout_s)
            seconds += more_seconds
        passed = decision.reason == "ok"
        return Verdict(
            passed, decision.reason, decision.tests, decision.message, mode, self.isolation, seconds
        )

    def _run(
        self, job: Job, planned: Plan, mode: Assurance, timeout_s: float
    ) -> tuple[Decision, float]:
        nonce = secrets.token_hex(16)
        config = {
            "nonce": nonce,
            "entry_point": planned.entry_point,
            "style": planned.style,
            "module": "module" in planned.expected,
            "classes": planned.classes,
        }
        task = json.dumps(config).encode() + b"\n" + job.test.encode(errors="surrogatepass")
        solution = job.solution.encode(errors="surrogatepass")
        reply = self._ask(mode, solution, task, timeout_s, job.world)
        if reply is None:
            return Decision("sandbox_error", "the code broke the sandbox twice"), 0.0
        return decide(reply, planned, nonce, timeout_s), reply.seconds

    def _evaluate(self, source: str, expressions: list[str], timeout_s: float) -> list[Evaluation]:
        nonce = secrets.token_hex(16)
        task = task_of(expressions, nonce)
        reply = self._ask("evaluate", source.encode(errors="surrogatepass"), task, timeout_s)
        return values_of(reply, len(expressions), nonce, timeout_s)

    def _ask(
        self, mode: str, solution: bytes, task: bytes, timeout_s: float, world: int = 0
    ) -> Reply | None:
        """The reply; None when this very job breaks workers that serve honest code."""
        for _ in range(2):
            reply = self._try(mode, solution, task, timeout_s, world)
            if reply is not None:
                return reply
        config = json.dumps({"nonce": "", "entry_point": "", "style": "python", "classes": []})
        honest = config.encode() + b"\n" + _HONEST.test.encode()
        if self._try("split", _HONEST.solution.encode(), honest, 10.0) is None:
            raise SandboxError(
                f"the {self.isolation} sandbox broke three times in a row, the last time under "
                "a program that returns 1; look at the engine, then run again"
            )
        return None

    def _try(
        self, mode: str, solution: bytes, task: bytes, timeout_s: float, world: int = 0
    ) -> Reply | None:
        lane = 0 if world == 0 else 2 - world % 2
        channel = self._idle[lane].get()
        healthy = False
        try:
            if channel is None:
                channel = self.backend.start(HASH_SEEDS[lane])
            reply = channel.ask(self._header(mode, timeout_s, world), solution, task, _GRACE_S)
            healthy = reply.clean and channel.jobs < self.limits.jobs_per_worker
            return reply
        except WorkerDied:
            return None
        finally:
            if channel is not None and not healthy:
                channel.close()
            self._idle[lane].put(channel if healthy else None)

    def _header(self, mode: str, timeout_s: float, world: int) -> dict[str, object]:
        limits = self.limits
        return {
            "mode": mode,
            "timeout_s": timeout_s,
            "world": world,
            "address_space_mb": limits.address_space_mb,
            "file_mb": limits.file_mb,
            "nofile": limits.nofile,
            "output_kb": limits.output_kb,
            **self.backend.header(),
        }
