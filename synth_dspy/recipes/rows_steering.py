"""What rows are asked for next: seeds and what was accepted so far -> waves of batches.

A wave is made of what all waves before it came to, never of timing: the same seed and replies make
the same rows at any concurrency and after any kill. It asks no model.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from synth_dspy.programs.row_formats import ONE_CELL, brief_of
from synth_dspy.programs.row_records import Batch, Draft, Seed
from synth_dspy.recipes.rows_commit import Committer

WAVE = 32
"""Most batches of a wave: enough to keep every call busy, and what is wasted at the end small."""

LEAST_ROWS = 5
"""Rows of one call, at least: so many passages as there are, but no call for a single row."""

AVOIDED = 40
"""Rows of its seed that a batch is shown, the last ones."""

_FIRST_GUESS = 0.8  # share of the rows asked for that is accepted, before anything is known


@dataclass(slots=True)
class _Use:
    """How a seed was used: batches written from it, and the last rows of them."""

    batches: int = 0
    written: deque[str] = field(default_factory=lambda: deque(maxlen=AVOIDED))


class Steering:
    """Waves until every cell is full, the material is used up, or nothing new comes any more.

    Attributes:
        asked: rows asked for; saturated: why it ended early, or "".
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        request: str,
        committer: Committer,
        *,
        batch_size: int,
        patience: int,
    ) -> None:
        self._seeds, self._request, self._committer = seeds, request, committer
        rows = math.ceil(sum(committer.wanted.values()) / max(1, len(seeds)))
        self._count = min(batch_size, max(LEAST_ROWS, rows))
        if not seeds[0].passage:
            self._count = batch_size
        # Of many passages a good share may bear no row of the format, and stand side by side.
        self._patience = max(patience, len(seeds) // 10)
        self._uses = [_Use() for _ in seeds]
        self._queue = deque(range(len(seeds)))
        self._barren = 0
        self.asked = 0
        self.saturated = ""

    def waves(
        self, after: Callable[[], None] = lambda: None
    ) -> Generator[list[Batch], list[list[Draft]], None]:
        """Yields waves of batches and takes what was accepted of each; `after` runs at each end."""
        while self._committer.missing and not self.saturated:
            chosen = [self._queue.popleft() for _ in range(min(self._size(), len(self._queue)))]
            if not chosen:
                self.saturated = "every passage was used until it gave no new row"
                return
            came = yield [self._batch(seed) for seed in chosen]
            for seed, drafts in zip(chosen, came, strict=False):
                self._take(seed, drafts)
            after()

    def _size(self) -> int:
        """Batches that the missing rows need, at the rate of acceptance so far."""
        rate = (self._committer.count + _FIRST_GUESS * self._count) / (self.asked + self._count)
        needed = sum(self._committer.missing.values()) / (self._count * max(rate, 0.1))
        return max(1, min(WAVE, math.ceil(needed)))

    def _batch(self, seed: int) -> Batch:
        use, missing = self._uses[seed], self._committer.missing
        self.asked += self._count
        return Batch(
            seed=self._seeds[seed],
            request=self._request,
            count=self._count,
            variant=use.batches,
            mix=() if ONE_CELL in self._committer.wanted else shares(missing, self._count),
            avoid=tuple(use.written),
        )

    def _take(self, seed: int, drafts: Sequence[Draft]) -> None:
        use = self._uses[seed]
        use.batches += 1
        new = 0
        for draft in drafts:
            use.written.append(brief_of(draft.values))
            new += self._committer.commit(draft)
        # Of documents a passage without a new row is used up; subjects never quite are.
        if new or not self._seeds[seed].passage:
            self._queue.append(seed)
        self._barren = 0 if new else self._barren + 1
        if self._barren >= self._patience and not self.saturated:
            self.saturated = f"{self._barren} batches in a row brought no new row"


def shares(missing: dict[str, int], count: int) -> tuple[tuple[str, int], ...]:
    """Rows of a batch for each cell, in proportion to what they miss, by largest remainder."""
    total = sum(missing.values())
    exact = {cell: count * short / total for cell, short in missing.items()}
    whole = {cell: int(value) for cell, value in exact.items()}
    left = count - sum(whole.values())
    for cell in sorted(exact, key=lambda c: (whole[c] - exact[c], list(missing).index(c)))[:left]:
        whole[cell] += 1
    return tuple((cell, number) for cell, number in whole.items() if number)
