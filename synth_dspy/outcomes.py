"""What a stage says of one input record: kept with its outputs, dropped with a reason, or failed.

Always true, and counted by every summary: in = kept + dropped + failed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

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


class Mark(NamedTuple):
    """What memory keeps of a finished record: counts, never content.

    Attributes:
        kind: kept, dropped or failed; reason: of a drop or a failure.
        outputs: how many records came of it.
        calls: paid calls to models; replayed: replies that had been paid for before.
        seconds: of the work, when it was done.
    """

    key: str
    kind: str
    reason: str
    outputs: int
    cached: bool
    calls: int = 0
    replayed: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Tally:
    """Counts of a stage while it runs, and what its `summary.json` says.

    Attributes:
        cached: of `taken`, how many were found finished in the journal.
        llm_calls, tokens, cost_usd, seconds: of this run; tokens in and out together, US dollars,
            wall time. What was paid beyond the quotas is among them.
        total_*: of all the work that the present result took, in whatever run it was done.
        beyond, beyond_*: records that were begun before the quotas were known to be met and are not
            in the present result, and what of this run's calls they took.
    """

    stage: str
    taken: int = 0
    kept: int = 0
    outputs: int = 0
    failed: int = 0
    cached: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    llm_calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    total_calls: int = 0
    total_tokens: int = 0
    total_cost_usd: float = 0.0
    total_seconds: float = 0.0
    beyond: int = 0
    beyond_calls: int = 0
    beyond_tokens: int = 0
    beyond_cost_usd: float = 0.0

    def add(self, mark: Mark) -> None:
        """Count one record; calls, tokens and cost only when its work was done in this run."""
        self.taken += 1
        self.cached += mark.cached
        if mark.kind == "kept":
            self.kept += 1
            self.outputs += mark.outputs
        elif mark.kind == "dropped":
            self.dropped[mark.reason] = self.dropped.get(mark.reason, 0) + 1
        else:
            self.failed += 1
            self.failures[mark.reason] = self.failures.get(mark.reason, 0) + 1
        self.total_calls += mark.calls + mark.replayed
        self.total_tokens += mark.tokens
        self.total_cost_usd += mark.cost_usd
        self.total_seconds += mark.seconds
        self._pay(mark)

    def add_beyond(self, mark: Mark) -> None:
        """Count one record that the present result leaves out."""
        self.beyond += 1
        if not mark.cached:
            self.beyond_calls += mark.calls
            self.beyond_tokens += mark.tokens
            self.beyond_cost_usd += mark.cost_usd
        self._pay(mark)

    def _pay(self, mark: Mark) -> None:
        if not mark.cached:
            self.llm_calls += mark.calls
            self.tokens += mark.tokens
            self.cost_usd += mark.cost_usd

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
            "total": {
                "llm_calls": self.total_calls,
                "tokens": self.total_tokens,
                "cost_usd": round(self.total_cost_usd, 6),
                "seconds": round(self.total_seconds, 3),
            },
            "beyond": {
                "records": self.beyond,
                "llm_calls": self.beyond_calls,
                "tokens": self.beyond_tokens,
                "cost_usd": round(self.beyond_cost_usd, 6),
            },
        }
