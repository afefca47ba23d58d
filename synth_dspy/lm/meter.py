"""Counts what a piece of work asked of models, and says which work a call belongs to.

The runner opens `metered()` and `trace_scope()` around a record; engines find both through context
variables, which asyncio tasks and `asyncio.to_thread` inherit. Nothing here knows an engine.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Meter:
    """What was asked so far. Tasks that the metered block starts add to the same object.

    Attributes:
        calls: replies that were paid for; replayed: replies that came from the store, free.
        input_tokens, output_tokens, cost_usd: of paid replies only.
        attempts: requests sent, retries included.
    """

    calls: int = 0
    replayed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    attempts: int = 0

    def add(self, other: Meter) -> None:
        """Add another meter's counts to this one."""
        self.calls += other.calls
        self.replayed += other.replayed
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cost_usd += other.cost_usd
        self.attempts += other.attempts


@dataclass(frozen=True)
class Scope:
    """What a call belongs to.

    Attributes:
        stage, record: the stage's name and the input record's id or key; "" outside of a run.
        sample: index of the sample; another index asks again where a reply is stored already.
    """

    stage: str = ""
    record: str = ""
    sample: int = 0


current: ContextVar[Meter | None] = ContextVar("synth_dspy_meter", default=None)
_scope: ContextVar[Scope] = ContextVar("synth_dspy_scope", default=Scope())  # noqa: B039


@contextmanager
def metered() -> Iterator[Meter]:
    """Count every call of the block. A block within another adds to the outer one at its end."""
    outer, meter = current.get(), Meter()
    token = current.set(meter)
    try:
        yield meter
    finally:
        current.reset(token)
        if outer is not None:
            outer.add(meter)


@contextmanager
def trace_scope(
    *, stage: str | None = None, record: str | None = None, sample: int | None = None
) -> Iterator[Scope]:
    """Name what the block's calls belong to; what is not given stays as it was."""
    outer = _scope.get()
    scope = Scope(
        outer.stage if stage is None else stage,
        outer.record if record is None else record,
        outer.sample if sample is None else sample,
    )
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


def scope() -> Scope:
    """What a call made now belongs to."""
    return _scope.get()
