"""The run's purse: what a call may cost at most is set aside before it is made.

So the sum of what was spent and what is in flight never passes the limit; a call that has to wait
for others to settle waits, one that cannot be paid at all raises.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.errors import BudgetExceededError
from synth_dspy.lm.waiting import Waiters

if TYPE_CHECKING:
    from synth_dspy.lm.replies import Totals


@dataclass(slots=True)
class Reservation:
    """What was set aside for one call; hand it to `Budget.settle` exactly once."""

    tokens: int
    cost_usd: float


class Budget:
    """Limits on money and tokens, over every run that shares the reply store.

    Args:
        max_cost_usd, max_tokens_total: None is no limit.
        spent: `ReplyStore.totals()`, what was paid before this run.
    """

    def __init__(
        self,
        max_cost_usd: float | None = None,
        max_tokens_total: int | None = None,
        *,
        spent: Totals | None = None,
    ) -> None:
        self.max_cost_usd = max_cost_usd
        self.max_tokens_total = max_tokens_total
        self.spent_cost_usd = spent.cost_usd if spent else 0.0
        self.spent_tokens = spent.input_tokens + spent.output_tokens if spent else 0
        self._reserved_cost = 0.0
        self._reserved_tokens = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._waiters = Waiters()
        self._exceeded = False

    @property
    def limits_cost(self) -> bool:
        """Whether money is limited, so that every model needs a price."""
        return self.max_cost_usd is not None

    @property
    def exceeded(self) -> bool:
        """Whether a call was refused; admit no new work then."""
        return self._exceeded

    async def reserve(self, tokens: int, cost_usd: float) -> Reservation:
        """Set aside what a call may use at most, waiting for calls in flight if that helps.

        Raises:
            BudgetExceededError: nothing is in flight and the call would still pass a limit.
        """
        need = Reservation(tokens, cost_usd)
        if self.max_cost_usd is None and self.max_tokens_total is None:
            return need
        while True:
            with self._lock:
                if self._fits(need):
                    self._reserved_cost += cost_usd
                    self._reserved_tokens += tokens
                    self._in_flight += 1
                    return need
                if self._in_flight == 0:
                    self._exceeded = True
                    self._waiters.grant_all()
                    raise BudgetExceededError(self._words(need))
                waiter = self._waiters.add()
            try:
                await waiter.future
            finally:
                with self._lock:
                    self._waiters.remove(waiter)

    def settle(self, reservation: Reservation, *, tokens: int, cost_usd: float) -> None:
        """Replace what was set aside by what was used (0 when the call failed)."""
        with self._lock:
            self.spent_cost_usd += cost_usd
            self.spent_tokens += tokens
            if self.max_cost_usd is None and self.max_tokens_total is None:
                return
            self._reserved_cost -= reservation.cost_usd
            self._reserved_tokens -= reservation.tokens
            self._in_flight -= 1
            if not self._in_flight:
                self._reserved_cost = 0.0  # no float dust
            self._waiters.grant_all()

    def _fits(self, need: Reservation) -> bool:
        if self.max_cost_usd is not None:
            cost = self.spent_cost_usd + self._reserved_cost + need.cost_usd
            if cost > self.max_cost_usd + 1e-9:
                return False
        if self.max_tokens_total is not None:
            tokens = self.spent_tokens + self._reserved_tokens + need.tokens
            return tokens <= self.max_tokens_total
        return True

    def _words(self, need: Reservation) -> str:
        cost = self.max_cost_usd
        if cost is not None and self.spent_cost_usd + need.cost_usd > cost + 1e-9:
            return (
                f"The budget is reached: {self.spent_cost_usd:.4f} USD are spent, one more call "
                f"may cost {need.cost_usd:.4f}, and max_cost_usd is {cost:g}. Everything made so "
                "far is kept; raise generation.max_cost_usd and run again to go on."
            )
        return (
            f"The budget is reached: {self.spent_tokens} tokens are spent, one more call may use "
            f"{need.tokens}, and max_tokens_total is {self.max_tokens_total}. Everything made so "
            "far is kept; raise generation.max_tokens_total and run again to go on."
        )
