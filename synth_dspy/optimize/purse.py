"""What a compilation may spend: calls and money of this command alone.

Replies that are stored already cost neither, so the same command after a stop pays only for what is
new.
"""

from __future__ import annotations

import threading

from synth_dspy.errors import BudgetExceededError
from synth_dspy.lm.budget import Budget, Reservation


class CompileBudget(Budget):
    """The budget of one `compile`.

    Attributes:
        calls: replies that were paid for so far.
    """

    def __init__(self, max_calls: int | None = None, max_cost_usd: float | None = None) -> None:
        super().__init__(max_cost_usd)
        self.max_calls = max_calls
        self.calls = 0
        self._counting = threading.Lock()

    async def reserve(self, tokens: int, cost_usd: float) -> Reservation:
        """Set aside what a call may use at most.

        Raises:
            BudgetExceededError: the call would pass a limit.
        """
        with self._counting:
            if self.max_calls is not None and self.calls >= self.max_calls:
                raise BudgetExceededError(
                    f"The budget is reached: {self.calls} calls were made, and --budget-calls is "
                    f"{self.max_calls}. {_GO_ON}"
                )
            self.calls += 1
        try:
            return await super().reserve(tokens, cost_usd)
        except BudgetExceededError as error:
            with self._counting:
                self.calls -= 1
            raise BudgetExceededError(
                f"The budget is reached: {self.spent_cost_usd:.4f} USD are spent, one more call "
                f"may cost {cost_usd:.4f}, and --budget-usd is {self.max_cost_usd}. {_GO_ON}"
            ) from error


_GO_ON = "Every reply is kept: the same command with a larger budget pays for the rest only."
