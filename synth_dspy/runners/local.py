"""The local engine: stages on one machine, on asyncio.

Map stages stream into each other through bounded queues; barriers take all of their input; tasks
are evaluated one beside the other until the quotas are met. It knows the stage contract and no
stage.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from synth_dspy.dataset.quota import Quota
from synth_dspy.errors import BudgetExceededError
from synth_dspy.outcomes import Failed, Kept, Mark, Tally
from synth_dspy.records import content_hash, digest
from synth_dspy.runners.ledger import Ledger, Place
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.workbench import Done, Workbench
from synth_dspy.stages.contract import BarrierStage, MapStage
from synth_dspy.store.journal import Journal
from synth_dspy.store.run_directory import read_json, write_json

C = TypeVar("C", bound=Hashable)

_QUEUE = 64
ENDPOINT_DOWN = "endpoint_down"


@dataclass(frozen=True, slots=True)
class Stopped(Exception):  # noqa: N818 - the end of a run, not a fault of it
    """The run ended before its end, with everything kept: by the user or by the budget."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class LocalRunner:
    """Runs stages through a workbench and tells a reporter."""

    def __init__(self, bench: Workbench, reporter: Reporter) -> None:
        self.bench = bench
        self._reporter = reporter
        self._stop: str | None = None
        self.tallies: dict[str, Tally] = {}
        self.rejections: defaultdict[Any, Counter[str]] = defaultdict(Counter)
        """Why tasks of each cell were not accepted, of the last `run_quota`: `stage: reason`."""

    def stop(self, reason: str) -> None:
        """Admit nothing more; what is in flight ends and is kept."""
        self._stop = self._stop or reason

    # -- map stages ------------------------------------------------------------------------------

    async def run_maps(
        self, stages: Sequence[MapStage[Any, Any]], records: Iterable[Any]
    ) -> list[Any]:
        """Stream records through stages; returns the last one's outputs, in the input's order.

        Raises:
            Stopped: by `stop` or by the budget; each stage's finished records are kept.
        """
        queues: list[asyncio.Queue[tuple[Place, Any] | None]] = [
            asyncio.Queue(_QUEUE) for _ in stages
        ]
        finished: list[tuple[Place, Any]] = []
        done = {stage.name: Ledger(stage.name) for stage in stages}
        started = time.perf_counter()
        for stage in stages:
            first = stage is stages[0]
            total = len(records) if first and isinstance(records, Sized) else None
            self._reporter.start(stage.name, total)

        async def feed() -> None:
            for index, record in enumerate(records):
                if self._stop:
                    break
                await queues[0].put(((index,), record))
            await queues[0].put(None)

        async def work(at: int, stage: MapStage[Any, Any]) -> None:
            while (item := await queues[at].get()) is not None:
                place, record = item
                result = await self._one(stage, record)
                if result is None:
                    continue
                done[stage.name].add(place, result.mark())
                self._reporter.advance(stage.name, result.outcome)
                if isinstance(result.outcome, Kept):
                    made = result.outcome.outputs
                    for index, output in enumerate(made):
                        # A fan-out of one takes no level of the order.
                        behind = place if len(made) == 1 else (*place, index)
                        if at + 1 < len(stages):
                            await queues[at + 1].put((behind, output))
                        else:
                            finished.append((behind, output))
            await queues[at].put(None)

        async def crew(at: int, stage: MapStage[Any, Any]) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(max(1, stage.concurrency)):
                    group.create_task(work(at, stage))
            if at + 1 < len(stages):
                await queues[at + 1].put(None)
            seconds = time.perf_counter() - started
            self._conclude(stage, done[stage.name], seconds)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(feed())
                for at, stage in enumerate(stages):
                    group.create_task(crew(at, stage))
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        if self._stop:
            raise Stopped(self._stop)
        return [record for _, record in sorted(finished, key=lambda item: item[0])]

    async def _one(self, stage: MapStage[Any, Any], record: Any) -> Done | None:
        """A record through a stage; None when the run is stopping and it was not begun."""
        key = self.bench.key(stage, record)
        if (known := self.bench.recall(stage, key)) is not None:
            return known
        if self._stop:
            return None
        try:
            done = await self.bench.do(stage, record, key)
        except BudgetExceededError as error:
            self.stop(str(error))
            return None
        if isinstance(done.outcome, Failed) and done.outcome.reason == ENDPOINT_DOWN:
            self.stop(f"{done.outcome.error} Run the same command again once it answers.")
        return done

    def _conclude(self, stage: MapStage[Any, Any], ledger: Ledger, seconds: float) -> Tally:
        tally = self.bench.conclude(stage, ledger, seconds)
        self._reporter.finish(tally, stage.unit)
        self.tallies[stage.name] = tally
        return tally

    # -- quotas ----------------------------------------------------------------------------------

    async def run_quota(
        self,
        stages: Sequence[MapStage[Any, Any]],
        tasks: Sequence[Any],
        cell_of: Callable[[Any], C],
        targets: Mapping[C, int],
        is_duplicate: Callable[[int, Any], bool],
        *,
        concurrency: int,
        keep_all: bool = False,
    ) -> Quota[C, Any]:
        """Take tasks through `stages`, lowest rank first, until the quotas of `targets` are met.

        Args:
            concurrency: tasks in flight.
            keep_all: also list what was evaluated beyond the quotas as the stages' result; which
                tasks these are depends on timing.

        Raises:
            Stopped: by `stop` or by the budget; what was evaluated is kept and listed.
        """
        quota: Quota[C, Any] = Quota([cell_of(task) for task in tasks], targets, is_duplicate)
        went: dict[int, list[Mark]] = {}
        self.rejections = defaultdict(Counter)
        started = time.perf_counter()
        self._reporter.start("generate", sum(targets.values()))
        running: set[asyncio.Task[None]] = set()

        async def evaluate(rank: int) -> None:
            record, path = tasks[rank], []
            for stage in stages:
                result = await self._one(stage, record)
                if result is None:
                    return
                path.append(result.mark())
                if not isinstance(result.outcome, Kept):
                    reason = f"{stage.name}: {result.outcome.reason}"
                    self.rejections[cell_of(tasks[rank])][reason] += 1
                    record = None
                    break
                (record,) = result.outcome.outputs
            went[rank] = path
            quota.report(rank, record)
            self._show(quota)

        try:
            while not quota.done and not self._stop:
                while len(running) < concurrency and (rank := quota.admit()) is not None:
                    running.add(asyncio.create_task(evaluate(rank)))
                if not running:
                    break
                ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
            if running:
                await asyncio.gather(*running)
        except BaseException:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            raise
        whole = keep_all or self._stop is not None
        ranks = sorted(went) if whole else [rank for rank in quota.decided if rank in went]
        self._conclude_quota(stages, [went[rank] for rank in ranks], started)
        if self._stop:
            raise Stopped(self._stop)
        return quota

    def _show(self, quota: Quota[Any, Any]) -> None:
        states = quota.states.values()
        accepted = sum(min(state.target, state.accepted + state.promising) for state in states)
        tried = sum(state.tried for state in states)
        self._reporter.show("generate", accepted, f"accepted of {tried} tried")

    def _conclude_quota(
        self, stages: Sequence[MapStage[Any, Any]], paths: Sequence[list[Mark]], started: float
    ) -> None:
        self._reporter.drop("generate")
        seconds = time.perf_counter() - started
        ledgers = [Ledger(stage.name) for stage in stages]
        for index, path in enumerate(paths):
            for ledger, mark in zip(ledgers, path, strict=False):
                ledger.add((index,), mark)
        for stage, ledger in zip(stages, ledgers, strict=True):
            self._conclude(stage, ledger, seconds)

    # -- barriers --------------------------------------------------------------------------------

    def run_barrier(self, stage: BarrierStage[Any, Any], records: Iterable[Any]) -> list[Any]:
        """All records through a barrier, unless it ran on exactly these before."""
        started = time.perf_counter()
        # Two equal records are one input of a barrier; their order must mean nothing.
        keyed = sorted({content_hash(r): r for r in records}.items(), key=lambda item: item[0])
        fingerprint = stage.fingerprint()
        state = digest(fingerprint, [key for key, _ in keyed])
        folder = self.bench.run.folder(stage.folder)
        marker = folder / f".{stage.name}.json"
        keys = [digest(fingerprint, key) for key, _ in keyed]
        known = self._recall_barrier(stage, marker, state, keys)
        if known is None:
            self._reporter.start(stage.name, len(keyed))
            outcomes = stage.run([record for _, record in keyed])
            seconds = time.perf_counter() - started
            known = [
                Done(key, outcome, False, {"seconds": 0.0})
                for key, outcome in zip(keys, outcomes, strict=True)
            ]
            self.bench.replace_journal(stage, known)
            write_json(marker, {"state": state, "files": _sizes(stage, folder)})
        else:
            seconds = time.perf_counter() - started
        ledger = Ledger(stage.name)
        for index, item in enumerate(known):
            ledger.add((index,), item.mark())
        tally = self.bench.conclude(stage, ledger, seconds)
        self.tallies[stage.name] = tally
        self._reporter.finish(tally, stage.unit)
        return [o for item in known if isinstance(item.outcome, Kept) for o in item.outcome.outputs]

    def _recall_barrier(
        self, stage: BarrierStage[Any, Any], marker: Any, state: str, keys: Sequence[str]
    ) -> list[Done] | None:
        path = self.bench.run.folder(stage.folder) / stage.journal
        fresh, known = self.bench.is_fresh(stage), read_json(marker) or {}
        present = path.exists() and known.get("files") == _sizes(stage, path.parent)
        if fresh or not present or known.get("state") != state:
            return None
        journal = Journal(path)
        try:
            entries = [journal.get(key) for key in keys]
        finally:
            journal.close()
        if any(entry is None for entry in entries):
            return None
        return [
            Done(entry.key, self.bench.revive(stage, entry.outcome), True, entry.meta)
            for entry in entries
            if entry is not None
        ]


def _sizes(stage: BarrierStage[Any, Any], folder: Path) -> dict[str, int]:
    """Bytes of every file that the stage made: one that is gone or cut makes it run again."""
    files = [
        file
        for product in stage.products()
        for file in (product.rglob("*") if product.is_dir() else [product])
    ]
    return {os.path.relpath(f, folder): f.stat().st_size for f in sorted(files) if f.is_file()}


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group that is none itself."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
