"""One actor that holds the budget and every endpoint's limits, and what workers see of it.

The actor has the real `Budget` and `Limiter`s, so what they promise holds for all workers together.
A worker that died gives back what it held: its slots at once, and its money as spent, since its
calls may have been answered and charged.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import BudgetExceededError, EndpointError
from synth_dspy.lm.budget import Budget, Reservation
from synth_dspy.lm.limiter import Limiter, Outcome, Ticket
from synth_dspy.lm.shared import Gate, limiter_for

if TYPE_CHECKING:
    from synth_dspy.lm.replies import Totals

WAITING = 100_000
"""Calls that may wait at the actor at once; beyond it the ones that give leave back would wait."""


@dataclass(frozen=True, slots=True)
class EndpointCeiling:
    """What of an endpoint decides when calls may start; it holds no key."""

    name: str
    max_retries: int
    retry_delay: float
    requests_per_minute: int | None
    tokens_per_minute: int | None


@dataclass(frozen=True, slots=True)
class Ceilings:
    """All limits of a run.

    Attributes:
        spent: `ReplyStore.totals()` of the runs before.
        concurrency, vision_concurrency: calls in flight at one endpoint, of all workers together.
    """

    endpoints: tuple[EndpointCeiling, ...] = ()
    max_cost_usd: float | None = None
    max_tokens_total: int | None = None
    spent: Totals | None = None
    concurrency: int = 16
    vision_concurrency: int = 16


@dataclass(frozen=True, slots=True)
class Granted:
    """The actor's answer: leave, or the words and the reason of a refusal."""

    refusal: str = ""
    reason: str = ""
    answers: int = 0


class LimitsActor:
    """What runs in the actor. Callers choose the ids of what they ask for: `<worker>/<number>`."""

    def __init__(self, ceilings: Ceilings) -> None:
        self._budget = Budget(
            ceilings.max_cost_usd, ceilings.max_tokens_total, spent=ceilings.spent
        )
        self._limiters: dict[str, Limiter] = {
            endpoint.name: limiter_for(
                endpoint,
                concurrency=ceilings.concurrency,
                vision_concurrency=ceilings.vision_concurrency,
            )
            for endpoint in ceilings.endpoints
        }
        self._asking: dict[str, asyncio.Task[Any]] = {}
        self._reserved: dict[str, Reservation] = {}
        self._tickets: dict[str, tuple[Limiter, Ticket]] = {}

    async def reserve(self, name: str, tokens: int, cost_usd: float) -> Granted:
        """As `Budget.reserve`."""
        try:
            reserved = await self._ask(name, self._budget.reserve(tokens, cost_usd))
        except BudgetExceededError as error:
            return Granted(str(error))
        self._reserved[name] = reserved
        return Granted()

    async def settle(self, name: str, tokens: int, cost_usd: float) -> None:
        """As `Budget.settle`; of what is not granted yet, take the question back."""
        if (reserved := self._reserved.pop(name, None)) is not None:
            self._budget.settle(reserved, tokens=tokens, cost_usd=cost_usd)
        else:
            self._take_back(name)

    async def admit(self, name: str, endpoint: str, vision: bool, tokens: int) -> Granted:
        """As `Limiter.admit`."""
        limiter = self._limiters[endpoint]
        try:
            ticket = await self._ask(name, limiter.admit(vision=vision, tokens=tokens))
        except EndpointError as error:
            return Granted(error.detail, error.reason, limiter.breaker.answers)
        self._tickets[name] = (limiter, ticket)
        return Granted(answers=limiter.breaker.answers)

    async def done(
        self,
        name: str,
        outcome: Outcome,
        tokens: int | None,
        why: str,
        retry_after_s: float | None,
    ) -> None:
        """As `Ticket.done`; of what is not granted yet, take the question back."""
        if (held := self._tickets.pop(name, None)) is not None:
            held[1].done(outcome, tokens=tokens, why=why, retry_after_s=retry_after_s)
        else:
            self._take_back(name)

    async def forget(self, worker: str) -> None:
        """Give back what a dead worker held."""
        start = f"{worker}/"
        for name in [name for name in self._asking if name.startswith(start)]:
            self._take_back(name)
        for name in [name for name in self._tickets if name.startswith(start)]:
            self._tickets.pop(name)[1].done("cancelled")
        for name in [name for name in self._reserved if name.startswith(start)]:
            reserved = self._reserved.pop(name)
            self._budget.settle(reserved, tokens=reserved.tokens, cost_usd=reserved.cost_usd)

    async def _ask(self, name: str, question: Coroutine[Any, Any, Any]) -> Any:
        self._asking[name] = asyncio.ensure_future(question)
        try:
            return await self._asking[name]
        finally:
            del self._asking[name]

    def _take_back(self, name: str) -> None:
        if (asking := self._asking.get(name)) is not None:
            asking.cancel()


class RemoteLimits:
    """The limits as one worker sees them.

    Args:
        actor: the handle of the one `LimitsActor`.
        worker: a name that no other worker ever had, so that what it held can be told from others'.
        ceilings: without a limit on money or tokens nobody is asked about either.
    """

    def __init__(self, actor: Any, worker: str, ceilings: Ceilings) -> None:
        numbers = itertools.count()
        self._actor, self._worker, self._numbers = actor, worker, numbers
        self.purse = RemotePurse(actor, worker, numbers, ceilings)

    def gate(self, endpoint: str) -> Gate:
        """What a worker asks for leave to call `endpoint`."""
        return RemoteGate(self._actor, self._worker, self._numbers, endpoint)


@dataclass(slots=True)
class Held(Reservation):
    """A reservation that the actor knows by `name`."""

    name: str = ""


class RemotePurse:
    """`Budget`, held by the actor."""

    def __init__(
        self, actor: Any, worker: str, numbers: itertools.count[int], ceilings: Ceilings
    ) -> None:
        self._actor, self._worker, self._numbers = actor, worker, numbers
        self.limits_cost = ceilings.max_cost_usd is not None
        # Without a limit there is nothing to wait for, and replies.sqlite counts what is spent.
        self._limited = self.limits_cost or ceilings.max_tokens_total is not None

    async def reserve(self, tokens: int, cost_usd: float) -> Reservation:
        """As `Budget.reserve`, which see."""
        name = f"{self._worker}/{next(self._numbers)}"
        if self._limited:
            try:
                granted: Granted = await self._actor.reserve.remote(name, tokens, cost_usd)
            except asyncio.CancelledError:
                self._actor.settle.remote(name, 0, 0.0)
                raise
            if granted.refusal:
                raise BudgetExceededError(granted.refusal)
        return Held(tokens, cost_usd, name)

    def settle(self, reservation: Reservation, *, tokens: int, cost_usd: float) -> None:
        """As `Budget.settle`, which see."""
        if self._limited and isinstance(reservation, Held):
            self._actor.settle.remote(reservation.name, tokens, cost_usd)


@dataclass(slots=True)
class Answers:
    """How many calls the endpoint had answered when the actor was last asked."""

    answers: int = 0


class RemoteGate:
    """One endpoint's `Limiter`, held by the actor."""

    def __init__(
        self, actor: Any, worker: str, numbers: itertools.count[int], endpoint: str
    ) -> None:
        self._actor, self._worker, self._numbers = actor, worker, numbers
        self._endpoint = endpoint
        self.breaker = Answers()

    async def admit(self, *, vision: bool, tokens: int) -> RemoteTicket:
        """As `Limiter.admit`, which see."""
        name = f"{self._worker}/{next(self._numbers)}"
        try:
            granted: Granted = await self._actor.admit.remote(name, self._endpoint, vision, tokens)
        except asyncio.CancelledError:
            self._actor.done.remote(name, "cancelled", None, "", None)
            raise
        self.breaker.answers = max(self.breaker.answers, granted.answers)
        if granted.reason:
            raise EndpointError(granted.reason, granted.refusal)
        return RemoteTicket(self._actor, name)


@dataclass(frozen=True, slots=True)
class RemoteTicket:
    """Leave that the actor knows by `name`."""

    _actor: Any
    _name: str

    def done(
        self,
        outcome: Outcome,
        *,
        tokens: int | None = None,
        why: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        """As `Ticket.done`, which see."""
        self._actor.done.remote(self._name, outcome, tokens, why, retry_after_s)
