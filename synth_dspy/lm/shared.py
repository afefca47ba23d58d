"""What a durable engine needs of limits and budget, so that both may live in another process.

`Budget` and `Limiter` meet these protocols in one process. Where several processes make calls, one
holds the real ones and the others hold proxies that look like this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from synth_dspy.lm.breaker import Breaker
from synth_dspy.lm.limiter import Limiter
from synth_dspy.lm.pace import Pace

if TYPE_CHECKING:
    from synth_dspy.lm.budget import Reservation
    from synth_dspy.lm.limiter import Outcome

_MIN_PATIENCE_S = 5.0


class Purse(Protocol):
    """The run's budget, as `synth_dspy.lm.budget.Budget` has it."""

    @property
    def limits_cost(self) -> bool: ...

    async def reserve(self, tokens: int, cost_usd: float) -> Reservation:
        """Set aside what a call may use at most. Raises BudgetExceededError."""
        ...

    def settle(self, reservation: Reservation, *, tokens: int, cost_usd: float) -> None:
        """Replace what was set aside by what was used."""
        ...


class Leave(Protocol):
    """Leave to make one attempt; `done` must be called exactly once."""

    def done(
        self,
        outcome: Outcome,
        *,
        tokens: int | None = None,
        why: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        """Say how the attempt went."""
        ...


class Answering(Protocol):
    """Counts the calls that an endpoint answered."""

    @property
    def answers(self) -> int: ...


class Gate(Protocol):
    """What decides when a call to one endpoint may start, as `Limiter` does."""

    @property
    def breaker(self) -> Answering: ...

    async def admit(self, *, vision: bool, tokens: int) -> Leave:
        """Wait until a call of about `tokens` tokens may start. Raises EndpointError."""
        ...


class Paced(Protocol):
    """What of an endpoint's settings decides when calls may start."""

    @property
    def name(self) -> str: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def retry_delay(self) -> float: ...
    @property
    def requests_per_minute(self) -> int | None: ...
    @property
    def tokens_per_minute(self) -> int | None: ...


class SharedLimits(Protocol):
    """Limits that hold for more than this process.

    Attributes:
        purse: the budget of all of them together.
    """

    @property
    def purse(self) -> Purse: ...

    def gate(self, endpoint: str) -> Gate:
        """What all of them ask for leave to call `endpoint`."""
        ...


def limiter_for(endpoint: Paced, *, concurrency: int, vision_concurrency: int) -> Limiter:
    """The limiter that an endpoint's settings ask for."""
    # As long as the configured retries would have taken.
    patience = endpoint.retry_delay * (2**endpoint.max_retries - 1)
    return Limiter(
        concurrency=concurrency,
        vision_concurrency=vision_concurrency,
        pace=Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute),
        breaker=Breaker(
            endpoint.name,
            pause_s=endpoint.retry_delay,
            patience_s=max(_MIN_PATIENCE_S, patience),
        ),
    )
