"""The workers of a run, seen from the process that leads it: chosen, replaced, ended.

Orders enter, finished outcomes leave. A worker that dies is replaced by one with the same shards,
which is given what was in flight; what the dead one had finished is found there.
"""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from synth_dspy.errors import SetupError
from synth_dspy.runners.ray.cluster import Cluster, ray_module
from synth_dspy.runners.ray.limits import WAITING, Ceilings, LimitsActor
from synth_dspy.runners.ray.worker import Fault, Opener, Order, Place, WorkerActor
from synth_dspy.runners.workbench import Done

_IN_FLIGHT = 10_000
_OPEN_S = 180.0
_CLOSE_S = 15.0
LIVES = 5
"""So many workers may die over one record before it counts as failed."""


class _Member:
    """One place in the crew and the actor that has it now."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.life = ""
        self.pid = 0
        self.in_flight = 0
        self.actor: Any = None
        self.changing = asyncio.Lock()
        self.suspects = asyncio.Lock()


class Crew:
    """Workers on a cluster, and the one actor of their limits.

    Args:
        opener: makes the stages in each worker.
        run: the run directory; every machine of the cluster must see it there.
        workers: how many; one for each processor of the cluster by default.
        say: takes lines for the user: a worker that died.

    Raises:
        SetupError: the workers do not start. SynthError: what `opener` raised in a worker.
    """

    def __init__(
        self,
        cluster: Cluster,
        opener: Opener,
        run: Path,
        ceilings: Ceilings,
        *,
        workers: int | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._ray = ray_module()
        self._say = say
        self._opener, self._run, self._ceilings = opener, run.absolute(), ceilings
        self.size = workers or cluster.cpus
        machines = sum(bool(node["Alive"]) for node in self._ray.nodes()) or 1
        self._neighbours = math.ceil(self.size / machines)
        self._cpus, self._share = cluster.cpus, min(1.0, cluster.cpus / self.size)
        limits = self._ray.remote(LimitsActor)
        self._limits = limits.options(num_cpus=0, max_concurrency=WAITING).remote(ceilings)
        self._members = [_Member(str(number)) for number in range(self.size)]
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        opening = [self._begin(member) for member in self._members]
        try:
            for member, opened in zip(
                self._members, self._ray.get(opening, timeout=_OPEN_S), strict=True
            ):
                member.pid = _opened(opened)
        except self._ray.exceptions.GetTimeoutError as error:
            raise SetupError(
                f"Not all of {self.size} workers started within {_OPEN_S:g} s; the cluster has "
                f"{self._cpus} processors, and others may be using them."
            ) from error
        except self._ray.exceptions.RayActorError as error:
            raise _cannot_start(error) from error

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers there are now."""
        return [member.pid for member in self._members]

    def _begin(self, member: _Member) -> Any:
        """Start an actor for a member; returns the reference of its opening."""
        member.life = f"{member.name}-{uuid.uuid4().hex}"
        place = Place(member.name, member.life, self._run, Path.cwd(), self._neighbours)
        worker = self._ray.remote(WorkerActor)
        member.actor = worker.options(
            num_cpus=self._share, max_concurrency=_IN_FLIGHT, scheduling_strategy="SPREAD"
        ).remote(self._opener, place, self._limits, self._ceilings)
        return member.actor.open.remote()

    async def do(self, order: Order) -> Done | None:
        """Have a record worked on; None when every worker that tried it died.

        Raises:
            SynthError: what ends the run: a budget, a dead sandbox, a wrong key.
        """
        member = min(self._members, key=lambda one: one.in_flight)
        member.in_flight += 1
        try:
            for deaths in range(LIVES):
                # Records that two workers died over are tried in turn: a third is their own fault.
                async with member.suspects if deaths > 1 else nullcontext():
                    async with member.changing:  # one that is just starting has no stages yet
                        actor = member.actor
                    try:
                        done: Done | Fault = await actor.do.remote(order)
                    except self._ray.exceptions.RayActorError:
                        await self._replace(member, actor)
                        continue
                if isinstance(done, Fault):
                    raise done.error()
                return done
        finally:
            member.in_flight -= 1
        return None

    async def _replace(self, member: _Member, dead: Any) -> None:
        """Put a new worker in the place of a dead one, unless somebody just did."""
        async with member.changing:
            if member.actor is not dead:
                return
            self._limits.forget.remote(member.life)
            self._say(f"A worker on Ray (process {member.pid}) died; another takes its place.")
            for chance in range(LIVES):
                try:
                    member.pid = _opened(await self._begin(member))
                except self._ray.exceptions.RayActorError as error:
                    if chance == LIVES - 1:
                        raise _cannot_start(error) from error
                    self._say("A worker on Ray died as it started; another takes its place.")
                else:
                    return

    def stop(self) -> None:
        """Have every worker begin nothing more that costs."""
        for member in self._members:
            member.actor.stop.remote()

    def release(self, stage: str) -> None:
        """Have every worker close its shard of a stage, so that it can be merged."""
        for closing in [member.actor.release.remote(stage) for member in self._members]:
            try:
                self._ray.get(closing)
            except self._ray.exceptions.RayActorError:
                continue  # dead, so it holds no file

    def close(self) -> None:
        """End the workers; what they have in flight is given up."""
        actors = [member.actor for member in self._members if member.actor is not None]
        closing = [actor.close.remote() for actor in actors]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=_CLOSE_S)
        for actor in (*actors, self._limits):
            self._ray.kill(actor)


def _opened(answer: Fault | int) -> int:
    if isinstance(answer, Fault):
        raise answer.error()
    return answer


def _cannot_start(error: Exception) -> SetupError:
    why = str(error).strip().splitlines()[-1]
    return SetupError(f"The workers on Ray die when they start: {why}")
