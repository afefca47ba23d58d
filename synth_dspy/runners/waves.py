"""Waves: records through stages, a wave after the other, each made of what the ones before gave.

What enters a wave depends on outcomes alone, never on which of them came first, so a recipe that
steers by results makes the same records at any speed. It knows the stage contract and no stage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

from synth_dspy.outcomes import Kept
from synth_dspy.runners.ledger import Ledger, Place
from synth_dspy.runners.workbench import Done
from synth_dspy.stages.contract import MapStage

Waves = Generator[Sequence[Any], "list[list[Any]]", None]
"""Yields the records of a wave; is sent what came of each, in order. A wave that was cut short by
the end of the run is sent as far as it is known: up to the first record that was not finished."""

One = Callable[[MapStage[Any, Any], Any], Awaitable[Done | None]]


class WaveRun:
    """One run of waves through some stages.

    Args:
        one: takes a record through a stage; None when the run is stopping.
        width: how many records of a stage are worked on at once.
        shown: is told of every outcome.

    Attributes:
        ledgers: by stage, what was finished.
    """

    def __init__(
        self,
        stages: Sequence[MapStage[Any, Any]],
        one: One,
        width: Callable[[MapStage[Any, Any]], int],
        shown: Callable[[MapStage[Any, Any], Done], None],
    ) -> None:
        self.ledgers = [Ledger(stage.name) for stage in stages]
        self._stages, self._one, self._shown = stages, one, shown
        self._rooms = [asyncio.Semaphore(width(stage)) for stage in stages]
        self._begun = 0

    async def through(self, waves: Waves, stopping: Callable[[], bool]) -> None:
        """Take every wave to its end, or as far as the run goes."""
        try:
            wave = next(waves)
            while True:
                came = await self._wave(wave)
                known = came if None not in came else came[: came.index(None)]
                wave = waves.send([made for made in known if made is not None])
                if stopping():
                    return
        except StopIteration:
            return
        finally:
            waves.close()

    async def _wave(self, wave: Sequence[Any]) -> list[list[Any] | None]:
        start, self._begun = self._begun, self._begun + len(wave)
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(self._record(record, 0, (start + index,)))
                for index, record in enumerate(wave)
            ]
        return [task.result() for task in running]

    async def _record(self, record: Any, at: int, place: Place) -> list[Any] | None:
        """What came of a record in the end; None when it was not taken to its end."""
        stage = self._stages[at]
        async with self._rooms[at]:
            done = await self._one(stage, record)
        if done is None:
            return None
        self.ledgers[at].add(place, done.mark())
        self._shown(stage, done)
        if not isinstance(done.outcome, Kept):
            return []
        made = list(done.outcome.outputs)
        if at + 1 == len(self._stages):
            return made
        following = await asyncio.gather(
            *(self._record(one, at + 1, (*place, index)) for index, one in enumerate(made))
        )
        if any(one is None for one in following):
            return None
        return [output for one in following if one is not None for output in one]
