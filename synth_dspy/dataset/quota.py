"""Quotas of accepted samples: who is in the dataset, decided in rank order alone.

Verdicts arrive in any order; a sample is committed only when every lower rank of an unfilled cell
has been decided. So the result is a function of the verdicts, never of their timing. Ranks, cells
and verdicts enter; commits and the ranks to admit next leave. Nothing here runs anything.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class CellState:
    """Where one cell stands.

    Attributes:
        accepted: committed; promising: accepted by every stage and waiting for lower ranks.
        tried: verdicts that are known; passed: of these, accepted by every stage.
    """

    target: int
    accepted: int = 0
    promising: int = 0
    in_flight: int = 0
    tried: int = 0
    passed: int = 0

    @property
    def full(self) -> bool:
        """Whether the target is reached."""
        return self.accepted >= self.target

    def wants_more(self) -> bool:
        """Whether what is in flight is not expected to fill the cell."""
        chance = (self.passed + 1) / (self.tried + 2)
        return self.in_flight * chance < self.target - self.accepted - self.promising


class Quota(Generic[C, V]):
    """The ledger of one run.

    Args:
        cells: the cell of each rank, by rank.
        targets: accepted samples wanted by cell.
        is_duplicate: called once for each accepted value, in rank order; True leaves it out, and
            the lower rank stays. It is also where a caller keeps what is committed.
    """

    def __init__(
        self,
        cells: Sequence[C],
        targets: Mapping[C, int],
        is_duplicate: Callable[[int, V], bool],
    ) -> None:
        self.states = {cell: CellState(target) for cell, target in targets.items()}
        self._cells = cells
        self._is_duplicate = is_duplicate
        self._verdicts: dict[int, V | None] = {}
        self._pointer = 0
        self._waiting: dict[C, list[int]] = {cell: [] for cell in targets}
        for rank, cell in enumerate(cells):
            if cell in self._waiting:
                self._waiting[cell].append(rank)
        for ranks in self._waiting.values():
            ranks.reverse()
        self.decided: list[int] = []

    def admit(self) -> int | None:
        """The next rank worth evaluating, now in flight; None when none is, for the moment."""
        candidates = [
            (ranks[-1], cell)
            for cell, ranks in self._waiting.items()
            if ranks and not self.states[cell].full and self.states[cell].wants_more()
        ]
        if not candidates:
            return None
        rank, cell = heapq.nsmallest(1, candidates, key=lambda item: item[0])[0]
        self._waiting[cell].pop()
        self.states[cell].in_flight += 1
        return rank

    def report(self, rank: int, value: V | None) -> None:
        """The verdict on an admitted rank: what was accepted, or None when it was not."""
        state = self.states[self._cells[rank]]
        state.in_flight -= 1
        state.tried += 1
        if value is not None:
            state.passed += 1
            state.promising += 1
        self._verdicts[rank] = value
        self._commit()

    def _commit(self) -> None:
        while self._pointer < len(self._cells):
            rank = self._pointer
            state = self.states.get(self._cells[rank])
            if state is not None and not state.full:
                if rank not in self._verdicts:
                    return
                self.decided.append(rank)
                value = self._verdicts[rank]
                if value is not None:
                    state.promising -= 1
                    if not self._is_duplicate(rank, value):
                        state.accepted += 1
            self._verdicts.pop(rank, None)
            self._pointer += 1

    @property
    def done(self) -> bool:
        """Whether every cell is full, or every task of an unfilled cell has been decided."""
        return all(
            state.full or (not self._waiting[cell] and not state.in_flight)
            for cell, state in self.states.items()
        )

    @property
    def complete(self) -> bool:
        """Whether every cell is full."""
        return all(state.full for state in self.states.values())
