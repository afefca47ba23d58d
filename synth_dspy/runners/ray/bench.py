"""The workbench of a run on Ray: journals are read here, work is done and journaled by workers.

Enters: a stage and a record. Leaves: the outcome, as `Workbench` gives it. Knows the stage contract
and no stage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synth_dspy.outcomes import Failed, Tally
from synth_dspy.runners.ledger import Ledger
from synth_dspy.runners.ray.crew import LIVES, Crew
from synth_dspy.runners.ray.worker import Order
from synth_dspy.runners.workbench import Done, Workbench
from synth_dspy.stages.contract import MapStage, Stage
from synth_dspy.store.run_directory import RunDirectory
from synth_dspy.store.shards import absorb

WORKER_DIED = "worker_died"
"""Reason of a record over which worker after worker died."""


class RayWorkbench(Workbench):
    """A workbench with a crew; closing it ends the crew.

    Args:
        fresh, concluded, retry_failed: as `Workbench`.
    """

    def __init__(
        self,
        run: RunDirectory,
        crew: Crew,
        *,
        fresh: frozenset[str] = frozenset(),
        concluded: Callable[[Stage], None] = lambda _stage: None,
        retry_failed: bool = False,
    ) -> None:
        super().__init__(run, fresh=fresh, concluded=concluded, retry_failed=retry_failed)
        self._crew = crew

    def width(self, stage: MapStage[Any, Any]) -> int:
        """As many as here for each worker, and one more at least, which is under way meanwhile."""
        return max(2, stage.concurrency) * self._crew.size

    async def do(self, stage: MapStage[Any, Any], record: Any, key: str) -> Done:
        """Have a record processed and journaled by a worker. Raises as `Workbench.do`."""
        journal = self.journal(stage)
        tried = self._tried(stage, key)
        done = await self._crew.do(
            Order(stage.name, str(journal.path.absolute()), key, record, tried)
        )
        if done is not None:
            return done
        failed = Failed(WORKER_DIED, f"{LIVES} workers died over it", retryable=True)
        meta: dict[str, Any] = {"seconds": 0.0, "tries": tried + 1}
        journal.append(key, failed, meta)
        return Done(key, failed, False, meta)

    def conclude(
        self, stage: Stage, ledger: Ledger, seconds: float, *, whole: bool = True
    ) -> Tally:
        """Merge the workers' shards of the stage, and conclude it as `Workbench` does."""
        if isinstance(stage, MapStage):
            self._crew.release(stage.name)
            absorb(self.journal(stage))
        return super().conclude(stage, ledger, seconds, whole=whole)

    def close(self) -> None:
        """End the workers and close every journal; shards of stages that were not concluded stay
        beside them, for whoever opens the journals next."""
        self._crew.close()
        super().close()
