"""What an engine is, to the recipes that drive it: it runs stages, and may be stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Generator,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from synth_dspy.dataset.quota import Quota
from synth_dspy.outcomes import Tally
from synth_dspy.stages.contract import BarrierStage, MapStage

C = TypeVar("C", bound=Hashable)

INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Stopped(Exception):  # noqa: N818 - the end of a run, not a fault of it
    """The run ended before its end, with everything kept: by the user or by the budget."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class Engine(Protocol):
    """Runs stages.

    Attributes:
        tallies: of the stages that have run, by name.
        rejections: why tasks of each cell were not accepted, of the last `run_quota`.
    """

    @property
    def tallies(self) -> Mapping[str, Tally]: ...
    @property
    def rejections(self) -> Mapping[Any, Counter[str]]: ...

    async def run_maps(
        self, stages: Sequence[MapStage[Any, Any]], records: Iterable[Any]
    ) -> Collection[Any]:
        """Stream records through stages; the last one's outputs, in the input's order.

        Raises:
            Stopped: by the user, or by the budget; each stage's finished records are kept.
            StoreError: the disk is about to be full; likewise.
        """
        ...

    async def run_waves(
        self,
        stages: Sequence[MapStage[Any, Any]],
        waves: Generator[Sequence[Any], list[list[Any]], None],
    ) -> None:
        """Take wave after wave of records through stages.

        Args:
            waves: yields the records of the next wave, and is sent what came of each in the end, in
                order; of a wave that the end of the run cut short, the first ones.

        Raises:
            Stopped, StoreError: as `run_maps`.
        """
        ...

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
        """Take tasks through stages, lowest rank first, until the quotas of `targets` are met.

        Args:
            is_duplicate: as `Quota` asks it.
            concurrency: tasks in flight.
            keep_all: also list what was evaluated beyond the quotas as the stages' result; which
                tasks these are depends on timing.

        Raises:
            Stopped, StoreError: as `run_maps`; what was evaluated is kept and listed.
        """
        ...

    def run_barrier(self, stage: BarrierStage[Any, Any], records: Iterable[Any]) -> list[Any]:
        """All records through a barrier, unless it ran on exactly these before."""
        ...
