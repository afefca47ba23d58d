"""Counts what a piece of work asked of models, and says which work a call belongs to.

The runner opens `metered()` and `trace_scope()` around a record; engines find both through context
variables, which asyncio tasks and `asyncio.to_thread` inherit. Nothing here knows an engine.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


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


# Opened around every record of every stage: `contextlib.contextmanager` takes four times as long.
class _Metering:
    __slots__ = ("_meter", "_outer", "_token")

    def __enter__(self) -> Meter:
        self._outer, self._meter = current.get(), Meter()
        self._token = current.set(self._meter)
        return self._meter

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)
        if self._outer is not None:
            self._outer.add(self._meter)


class _Naming:
    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        self._token = _scope.set(self._scope)
        return self._scope

    def __exit__(self, *_: object) -> None:
        _scope.reset(self._token)


def metered() -> AbstractContextManager[Meter]:
    """Count every call of the block. A block within another adds to the outer one at its end."""
    return _Metering()


def trace_scope(
    *, stage: str | None = None, record: str | None = None, sample: int | None = None
) -> AbstractContextManager[Scope]:
    """Name what the block's calls belong to; what is not given stays as it was."""
    outer = _scope.get()
    return _Naming(
        Scope(
            outer.stage if stage is None else stage,
            outer.record if record is None else record,
            outer.sample if sample is None else sample,
        )
    )


def scope() -> Scope:
    """What a call made now belongs to."""
    return _scope.get()
