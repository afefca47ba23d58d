"""Stages for tests of the Ray runner, in a module of their own that workers can import."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy.errors import BudgetExceededError, ConfigError, DocumentError
from synth_dspy.lm.shared import SharedLimits
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.runners.ray import OpenStages
from synth_dspy.stages.contract import MapStage


@dataclass(frozen=True, slots=True)
class Number:
    """What flows here."""

    value: int


class Noting(MapStage[Number, Number]):
    """Notes every record that it is given as a line of a file, so that work is counted for real."""

    output_type = Number

    def __init__(self, notes: Path, *, pause_s: float = 0.0, concurrency: int = 4) -> None:
        self.concurrency = concurrency
        self._notes, self._pause_s = notes, pause_s

    def settings(self) -> object:
        return ()

    async def process(self, record: Number) -> Outcome:
        with self._notes.open("a") as file:
            file.write(f"{self.name} {record.value} {os.getpid()}\n")
        await asyncio.sleep(self._pause_s)
        return self.work(record.value)

    def work(self, value: int) -> Outcome:
        return Kept((Number(value + 1),))


class Doubling(Noting):
    """Two of every number; drops multiples of seven, fails multiples of eleven."""

    name, folder = "doubling", "doubled"

    def work(self, value: int) -> Outcome:
        if value % 7 == 0:
            return Dropped("seventh")
        if value % 11 == 0:
            raise DocumentError("eleventh", str(value))
        return Kept((Number(value), Number(-value)))


class Counting(Noting):
    """One more."""

    name, folder = "counting", "counted"


class Dying(Noting):
    """Kills its worker over 13."""

    name, folder = "dying", "died"

    def work(self, value: int) -> Outcome:
        if value == 13:
            os._exit(1)
        return super().work(value)


class Spending(Noting):
    """Passes the budget at 5."""

    name, folder = "spending", "spent"

    def work(self, value: int) -> Outcome:
        if value == 5:
            raise BudgetExceededError("The budget is reached.")
        return super().work(value)


@dataclass
class Made:
    """`OpenStages` of a few stages."""

    stages: Mapping[str, MapStage[Any, Any]]

    def stop(self) -> None:
        """They ask nobody."""

    async def aclose(self) -> None:
        """They hold nothing open."""


@dataclass(frozen=True, slots=True)
class Opening:
    """`Opener` of all stages above."""

    notes: Path
    pause_s: float = 0.0

    def stages(self) -> list[MapStage[Any, Any]]:
        """The stages as they are made here and in workers alike."""
        kinds = (Doubling, Counting, Dying, Spending)
        return [kind(self.notes, pause_s=self.pause_s) for kind in kinds]

    def __call__(self, limits: SharedLimits, neighbours: int) -> OpenStages:
        return Made({stage.name: stage for stage in self.stages()})


def refuse(limits: SharedLimits, neighbours: int) -> OpenStages:
    """An opener that finds something wrong."""
    raise ConfigError("nothing can be made of this")
