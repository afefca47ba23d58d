"""Tasks through stages until quotas are met: which is begun when, and what of it is listed.

What a journal knows of a task is reported before anything is begun, so a run that goes on from
another, or repeats it, begins no task that the quotas do not need. It knows the stage contract and
no stage.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from synth_dspy.dataset.quota import Quota
from synth_dspy.outcomes import Kept, Mark
from synth_dspy.runners.ledger import Ledger
from synth_dspy.runners.workbench import Done
from synth_dspy.stages.contract import MapStage

C = TypeVar("C", bound=Hashable)

One = Callable[[MapStage[Any, Any], Any], Awaitable[Done | None]]
Known = Callable[[MapStage[Any, Any], Any], Done | None]


class QuotaRun(Generic[C]):
    """One run of tasks through some stages.

    Args:
        one: takes a record through a stage; None when the run is stopping.
        known: what a journal has of a record; None when there is work to do.
        shown: is told after every task.

    Attributes:
        ledgers: by stage, what the decided tasks came through.
        rejections: why tasks of each cell were not accepted: `stage: reason`.
        spent_usd: what this run paid.
    """

    def __init__(
        self,
        stages: Sequence[MapStage[Any, Any]],
        tasks: Sequence[Any],
        cell_of: Callable[[Any], C],
        quota: Quota[C, Any],
        *,
        one: One,
        known: Known,
        shown: Callable[[], None],
    ) -> None:
        self.ledgers = [Ledger(stage.name) for stage in stages]
        self.rejections: defaultdict[C, Counter[str]] = defaultdict(Counter)
        self.spent_usd = 0.0
        self._stages, self._tasks, self._cell_of = stages, tasks, cell_of
        self._quota, self._one, self._known, self._shown = quota, one, known, shown
        self._went: dict[int, list[Mark]] = {}
        self._listed = 0

    async def until_full(self, concurrency: int, stopping: Callable[[], bool]) -> None:
        """Take tasks, lowest rank first, until every quota is met or no task is left."""
        quota, running = self._quota, set[asyncio.Task[None]]()
        try:
            while not quota.done and not stopping():
                while (
                    len(running) < concurrency
                    and not stopping()
                    and (rank := quota.admit()) is not None
                ):
                    if self._recalled(rank):
                        await asyncio.sleep(0)  # thousands may be known: let others work, too
                    else:
                        running.add(asyncio.create_task(self._evaluate(rank)))
                if not running:
                    break
                ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.gather(*ended)  # raises the first error, and has seen the others
            if running:
                await asyncio.gather(*running)
        except BaseException:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            raise

    def list_rest(self) -> None:
        """List what was evaluated beyond the decided tasks, too."""
        for rank in sorted(self._went):
            self._list(rank)

    def count_rest(self) -> None:
        """Count what the tasks beyond the decided ones cost, and list none of them."""
        for path in self._went.values():
            for ledger, mark in zip(self.ledgers, path, strict=False):
                ledger.tally.add_beyond(mark)

    def _recalled(self, rank: int) -> bool:
        """Report a task that journals know to its end; False when there is work to do."""
        record, path = self._tasks[rank], list[Done]()
        for stage in self._stages:
            if (done := self._known(stage, record)) is None:
                return False
            path.append(done)
            if not isinstance(done.outcome, Kept):
                break
            (record,) = done.outcome.outputs
        self._report(rank, path)
        return True

    async def _evaluate(self, rank: int) -> None:
        record, path = self._tasks[rank], list[Done]()
        for stage in self._stages:
            done = await self._one(stage, record)
            if done is None:  # the run is stopping; what it came through counts
                self._went[rank] = [one.mark() for one in path]
                return
            path.append(done)
            if not isinstance(done.outcome, Kept):
                break
            (record,) = done.outcome.outputs
        self._report(rank, path)

    def _report(self, rank: int, path: Sequence[Done]) -> None:
        """Tell the quota what came of a task: the last stage's record, or None."""
        outcome, value = path[-1].outcome, None
        if isinstance(outcome, Kept):
            (value,) = outcome.outputs
        else:
            reason = f"{self._stages[len(path) - 1].name}: {outcome.reason}"
            self.rejections[self._cell_of(self._tasks[rank])][reason] += 1
        marks = self._went[rank] = [done.mark() for done in path]
        self.spent_usd += sum(mark.cost_usd for mark in marks if not mark.cached)
        self._quota.report(rank, value)
        self._shown()
        decided = self._quota.decided
        while self._listed < len(decided):
            self._list(decided[self._listed])
            self._listed += 1

    def _list(self, rank: int) -> None:
        """Note how far a task came, and forget its marks."""
        for ledger, mark in zip(self.ledgers, self._went.pop(rank), strict=False):
            ledger.add((rank,), mark)
