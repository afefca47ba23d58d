"""What a stage says of one input record: kept with its outputs, dropped with a reason, or failed.

Always true, and counted by every summary: in = kept + dropped + failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Kept(Generic[Record]):
    """The record went through; `outputs` is its whole fan-out, in order."""

    outputs: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """The record does not belong in the dataset.

    Attributes:
        reason: machine-readable, counted by summaries: `weak_test`, `not_grounded`.
        detail: a sentence for people.
        record: what was dropped, as far as it had come; shown by `inspect --dropped`.
    """

    reason: str
    detail: str = ""
    record: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The record could not be judged either way: a broken file, an endpoint that did not answer.

    Attributes:
        retryable: the next run tries again.
    """

    reason: str
    error: str = ""
    retryable: bool = False


Outcome = Kept[Any] | Dropped | Failed


@dataclass(slots=True)
class Tally:
    """Counts of a stage while it runs, and what its `summary.json` says.

    Attributes:
        cached: of `taken`, how many were found finished in the journal.
        seconds: wall time of the stage; cost in US dollars; tokens in and out together.
    """

    stage: str
    taken: int = 0
    kept: int = 0
    outputs: int = 0
    failed: int = 0
    cached: int = 0
    retried: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    llm_calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def count(self, outcome: Outcome, *, cached: bool) -> None:
        """Count one record's outcome."""
        self.taken += 1
        self.cached += cached
        if isinstance(outcome, Kept):
            self.kept += 1
            self.outputs += len(outcome.outputs)
        elif isinstance(outcome, Dropped):
            self.dropped[outcome.reason] = self.dropped.get(outcome.reason, 0) + 1
        else:
            self.failed += 1
            self.failures[outcome.reason] = self.failures.get(outcome.reason, 0) + 1

    @property
    def total_dropped(self) -> int:
        """Records dropped, for any reason."""
        return sum(self.dropped.values())

    def summary(self) -> dict[str, Any]:
        """The content of `summary.json`."""
        return {
            "stage": self.stage,
            "in": self.taken,
            "kept": self.kept,
            "out": self.outputs,
            "dropped": dict(sorted(self.dropped.items())),
            "failed": self.failed,
            "failures": dict(sorted(self.failures.items())),
            "cached": self.cached,
            "llm_calls": self.llm_calls,
            "tokens": self.tokens,
            "cost_usd": round(self.cost_usd, 6),
            "seconds": round(self.seconds, 3),
        }
