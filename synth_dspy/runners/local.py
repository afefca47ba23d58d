"""The local engine: stages on one machine, on asyncio.

Map stages stream into each other through bounded queues; barriers take all of their input; tasks
are evaluated one beside the other until the quotas are met. It knows the stage contract and no
stage.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence, Sized
from typing import Any, TypeVar

from synth_dspy.dataset.quota import Quota
from synth_dspy.errors import AdmissionError, StoreError
from synth_dspy.outcomes import Failed, Kept, Tally
from synth_dspy.runners.barriers import inputs_of, marker_of, recall_barrier, sizes
from synth_dspy.runners.ledger import Ledger, Place
from synth_dspy.runners.made import Made
from synth_dspy.runners.progress import Reporter
from synth_dspy.runners.quota_progress import how_far
from synth_dspy.runners.quota_run import QuotaRun
from synth_dspy.runners.waves import WaveRun, Waves
from synth_dspy.runners.workbench import ENDPOINT_DOWN, Done, Workbench
from synth_dspy.stages.contract import BarrierStage, MapStage
from synth_dspy.stages.engine import Stopped
from synth_dspy.store.run_directory import write_json

C = TypeVar("C", bound=Hashable)

_QUEUE = 64


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
    ) -> Collection[Any]:
        """Stream records through bounded queues, several of a stage at once; see `Engine`."""
        queues: list[asyncio.Queue[tuple[Place, Any] | None]] = [
            asyncio.Queue(_QUEUE) for _ in stages
        ]
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
                if isinstance(result.outcome, Kept) and at + 1 < len(stages):
                    made = result.outcome.outputs
                    for index, output in enumerate(made):
                        # A fan-out of one takes no level of the order.
                        behind = place if len(made) == 1 else (*place, index)
                        await queues[at + 1].put((behind, output))
            await queues[at].put(None)

        async def crew(at: int, stage: MapStage[Any, Any]) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.bench.width(stage)):
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
        self._end_if_stopped()
        return Made(self.bench, stages[-1], done[stages[-1].name])

    def _end_if_stopped(self) -> None:
        """Raise why nothing more was begun, now that what was in flight has ended."""
        if self.bench.fault:
            raise StoreError(self.bench.fault)
        if self._stop:
            raise Stopped(self._stop)

    def _known(self, stage: MapStage[Any, Any], record: Any) -> Done | None:
        return self.bench.recall(stage, self.bench.key(stage, record))

    async def _one(self, stage: MapStage[Any, Any], record: Any) -> Done | None:
        """A record through a stage; None when the run is stopping and it was not begun."""
        key = self.bench.key(stage, record)
        if (known := self.bench.recall(stage, key)) is not None:
            return known
        if self.bench.fault:
            self.stop(self.bench.fault)
        if self._stop:
            return None
        try:
            done = await self.bench.do(stage, record, key)
        except AdmissionError as error:
            self.stop(str(error))
            return None
        if isinstance(done.outcome, Failed) and done.outcome.reason == ENDPOINT_DOWN:
            self.stop(f"{done.outcome.error} Run the same command again once it answers.")
        return done

    def _conclude(self, stage: MapStage[Any, Any], ledger: Ledger, seconds: float) -> Tally:
        tally = self.bench.conclude(stage, ledger, seconds, whole=self._stop is None)
        self._reporter.finish(tally, stage.unit)
        self.tallies[stage.name] = tally
        return tally

    # -- waves -----------------------------------------------------------------------------------

    async def run_waves(self, stages: Sequence[MapStage[Any, Any]], waves: Waves) -> None:
        """Take wave after wave through `stages`; see `Engine`."""
        started = time.perf_counter()
        for stage in stages:
            self._reporter.start(stage.name, None)
        run = WaveRun(
            stages,
            self._one,
            self.bench.width,
            lambda stage, done: self._reporter.advance(stage.name, done.outcome),
        )
        try:
            await run.through(waves, lambda: self._stop is not None)
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        seconds = time.perf_counter() - started
        for stage, ledger in zip(stages, run.ledgers, strict=True):
            self._conclude(stage, ledger, seconds)
        self._end_if_stopped()

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
        """Take tasks through `stages` until quotas are met; see `Engine`."""
        quota: Quota[C, Any] = Quota([cell_of(task) for task in tasks], targets, is_duplicate)
        started = time.perf_counter()

        def shown() -> None:
            seconds = time.perf_counter() - started
            self._reporter.show("generate", *how_far(quota, run.spent_usd, seconds))

        run = QuotaRun(stages, tasks, cell_of, quota, one=self._one, known=self._known, shown=shown)
        self.rejections = run.rejections
        self._reporter.start("generate", sum(targets.values()))
        await run.until_full(concurrency, lambda: self._stop is not None)
        if keep_all or self._stop is not None:
            run.list_rest()
        else:
            run.count_rest()
        self._reporter.drop("generate")
        seconds = time.perf_counter() - started
        for stage, ledger in zip(stages, run.ledgers, strict=True):
            self._conclude(stage, ledger, seconds)
        self._end_if_stopped()
        return quota

    # -- barriers --------------------------------------------------------------------------------

    def run_barrier(self, stage: BarrierStage[Any, Any], records: Iterable[Any]) -> list[Any]:
        """All records through a barrier, or what it made of them before; see `Engine`."""
        started = time.perf_counter()
        inputs, folder = inputs_of(stage, records), self.bench.run.folder(stage.folder)
        known = recall_barrier(self.bench, stage, inputs)
        if known is None:
            self._reporter.start(stage.name, len(inputs.records))
            outcomes = stage.run(inputs.records)
            seconds = time.perf_counter() - started
            known = [
                Done(key, outcome, False, {"seconds": 0.0})
                for key, outcome in zip(inputs.keys, outcomes, strict=True)
            ]
            self.bench.replace_journal(stage, known)
            state = {"state": inputs.state, "files": sizes(stage, folder)}
            write_json(marker_of(folder, stage), state)
        else:
            seconds = time.perf_counter() - started
        ledger = Ledger(stage.name)
        for index, item in enumerate(known):
            ledger.add((index,), item.mark())
        tally = self.bench.conclude(stage, ledger, seconds)
        self.tallies[stage.name] = tally
        self._reporter.finish(tally, stage.unit)
        return [o for item in known if isinstance(item.outcome, Kept) for o in item.outcome.outputs]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group that is none itself."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
