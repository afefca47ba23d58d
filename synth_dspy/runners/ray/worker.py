"""What runs in a worker's process: the stages, made there, and a shard of each stage's journal.

Stages hold models, sandboxes and connections, which cannot be sent: a worker is given the way to
make them. Records with their keys enter, finished outcomes leave, journaled before anybody sees
them. A fault that ends the run leaves as data, since Ray cannot carry every exception.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from synth_dspy import errors
from synth_dspy.errors import SetupError, SynthError
from synth_dspy.lm.shared import SharedLimits
from synth_dspy.runners.ray.limits import Ceilings, RemoteLimits
from synth_dspy.runners.workbench import Done, Workbench
from synth_dspy.stages.contract import MapStage, Stage
from synth_dspy.store.journal import Journal
from synth_dspy.store.run_directory import RunDirectory
from synth_dspy.store.shards import Shard


class OpenStages(Protocol):
    """The map stages of a recipe, by name, with what they hold open."""

    @property
    def stages(self) -> Mapping[str, MapStage[Any, Any]]: ...

    def stop(self) -> None:
        """Begin nothing that costs; what is in flight ends."""
        ...

    async def aclose(self) -> None:
        """Close what the stages hold open."""
        ...


class Opener(Protocol):
    """Makes the stages in a worker; it is sent there, so it is made of plain values.

    Args:
        limits: the budget and the rate limits that all workers share.
        neighbours: how many workers there are on a machine, to share its processors among them.
    """

    def __call__(self, limits: SharedLimits, neighbours: int) -> OpenStages: ...


@dataclass(frozen=True, slots=True)
class Order:
    """One record to be worked on.

    Attributes:
        journal: where the leader keeps the stage's journal; the shard lies beside it.
        tried: failed tries of the record in the runs before.
    """

    stage: str
    journal: str
    key: str
    record: Any
    tried: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that ends the run, as it travels."""

    kind: str
    text: str

    @classmethod
    def of(cls, error: SynthError) -> Fault:
        """The fault that `error` is; a class that `errors.py` does not have goes by its base."""
        known = (one.__name__ for one in type(error).__mro__ if hasattr(errors, one.__name__))
        return cls(next(known), str(error))

    def error(self) -> SynthError:
        """The error again."""
        made: SynthError = getattr(errors, self.kind)(self.text)
        return made


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker works.

    Attributes:
        name: of its shards; a worker that replaces a dead one has the same.
        life: unique to this very process.
        folder: the working directory of whoever started the run, for relative paths.
    """

    name: str
    life: str
    run: Path
    folder: Path
    neighbours: int


class ShardBench(Workbench):
    """A workbench whose journals are a worker's shards."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        super().__init__(run)
        self._worker = worker
        self._shards: dict[str, Shard] = {}
        self._beside: dict[str, Path] = {}
        self._tries: dict[str, int] = {}

    async def follow(self, stage: MapStage[Any, Any], order: Order) -> Done:
        """The outcome of one record, taken from the shard where a worker before had finished it.

        Raises:
            SynthError: as `do`.
        """
        self._beside[stage.name], self._tries[order.key] = Path(order.journal), order.tried
        try:
            known = self.recall(stage, order.key)
            if known is not None:
                return replace(known, cached=False)
            return await self.do(stage, order.record, order.key)
        finally:
            self._tries.pop(order.key, None)

    def journal(self, stage: Stage) -> Journal:
        """The shard of the stage, opened at first use and after each `release`."""
        if stage.name not in self._shards:
            self._shards[stage.name] = Shard(self._beside[stage.name], self._worker)
        return self._shards[stage.name].journal

    def _tried(self, stage: Stage, key: str) -> int:
        del stage
        return self._tries.get(key, 0)

    def release(self, stage: str) -> None:
        """Close a stage's shard, so that it can be merged."""
        if (shard := self._shards.pop(stage, None)) is not None:
            shard.close()

    def close(self) -> None:
        """Release every shard."""
        for stage in list(self._shards):
            self.release(stage)
        super().close()


class WorkerActor:
    """One worker. Its methods run on one event loop; `open` comes first."""

    def __init__(self, opener: Opener, place: Place, limits: Any, ceilings: Ceilings) -> None:
        self._opener, self._place = opener, place
        self._limits = RemoteLimits(limits, place.life, ceilings)
        self._made: OpenStages | None = None
        self._running: set[asyncio.Task[Any] | None] = set()
        self._bench = ShardBench(RunDirectory(place.run), place.name)

    async def open(self) -> Fault | int:
        """Make the stages; the process id, or why it cannot be done."""
        place = self._place
        try:
            if not (place.run / ".lock").exists():
                raise SetupError(
                    f"A worker on {socket.gethostname()} does not see the run directory "
                    f"{place.run}. Put output_dir on a disk that every machine of the cluster "
                    "mounts at the same place."
                )
            if place.folder.is_dir():
                os.chdir(place.folder)
            self._made = self._opener(self._limits, place.neighbours)
        except SynthError as error:
            return Fault.of(error)
        return os.getpid()

    async def do(self, order: Order) -> Done | Fault:
        """The outcome of one record."""
        assert self._made is not None, "open comes first"
        task = asyncio.current_task()
        self._running.add(task)
        try:
            return await self._bench.follow(self._made.stages[order.stage], order)
        except SynthError as error:
            return Fault.of(error)
        finally:
            self._running.discard(task)

    async def stop(self) -> None:
        """Begin nothing more that costs: the run is being stopped."""
        if self._made is not None:
            self._made.stop()

    async def release(self, stage: str) -> None:
        """Close the stage's shard: it is about to be merged."""
        self._bench.release(stage)

    async def close(self) -> None:
        """Give up what is in flight, and close the shards and what the stages hold open."""
        for task in self._running:
            if task is not None:
                task.cancel()
        await asyncio.sleep(0)
        self._bench.close()
        if self._made is not None:
            await self._made.aclose()
            self._made = None
