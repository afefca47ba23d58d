"""The budget: never passed, whatever the calls cost and in whatever order they end."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.errors import BudgetExceededError
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.replies import Totals


@settings(max_examples=60, deadline=None)
@given(
    calls=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=30),
    limit=st.integers(1, 300),
)
def test_no_order_of_calls_passes_the_limit(calls: list[tuple[int, float]], limit: int) -> None:
    budget = Budget(max_tokens_total=limit)
    highest = 0

    async def one(upper: int, share: float) -> None:
        nonlocal highest
        try:
            reserved = await budget.reserve(upper, 0.0)
        except BudgetExceededError:
            return
        await asyncio.sleep(0)
        budget.settle(reserved, tokens=int(upper * share), cost_usd=0.0)
        highest = max(highest, budget.spent_tokens)

    async def main() -> None:
        await asyncio.gather(*(one(*call) for call in calls))

    asyncio.run(asyncio.wait_for(main(), 10))
    assert highest <= limit


def test_a_call_waits_for_those_in_flight_before_it_is_refused() -> None:
    async def main() -> list[str]:
        budget, seen = Budget(max_cost_usd=1.0), []
        first = await budget.reserve(1, 0.8)

        async def second() -> None:
            await budget.reserve(1, 0.5)
            seen.append("admitted")

        task = asyncio.create_task(second())
        await asyncio.sleep(0.01)
        seen.append("settled")
        budget.settle(first, tokens=1, cost_usd=0.1)
        await task
        return seen

    assert asyncio.run(main()) == ["settled", "admitted"]


def test_what_earlier_runs_spent_counts() -> None:
    budget = Budget(max_tokens_total=100, spent=Totals(3, 80, 10, 0.0))
    with pytest.raises(BudgetExceededError, match="90 tokens are spent"):
        asyncio.run(budget.reserve(11, 0.0))
    assert budget.exceeded


def test_the_error_names_the_setting_to_raise() -> None:
    with pytest.raises(BudgetExceededError, match=r"generation\.max_cost_usd"):
        asyncio.run(Budget(max_cost_usd=0.01).reserve(1, 0.02))


def test_a_failed_call_gives_back_what_was_set_aside() -> None:
    async def main() -> None:
        budget = Budget(max_tokens_total=10)
        budget.settle(await budget.reserve(10, 0.0), tokens=0, cost_usd=0.0)
        await budget.reserve(10, 0.0)

    asyncio.run(main())


def test_a_call_of_another_event_loop_is_woken_too() -> None:
    budget = Budget(max_tokens_total=10)
    admitted = threading.Event()

    async def elsewhere() -> None:
        await budget.reserve(10, 0.0)
        admitted.set()

    async def main() -> None:
        held = await budget.reserve(10, 0.0)
        thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
        thread.start()
        await asyncio.sleep(0.05)
        assert not admitted.is_set()
        budget.settle(held, tokens=0, cost_usd=0.0)
        await asyncio.to_thread(thread.join, 5)

    asyncio.run(main())
    assert admitted.is_set()


def test_a_cancelled_waiter_does_not_stand_in_the_way() -> None:
    async def main() -> None:
        budget = Budget(max_tokens_total=10)
        held = await budget.reserve(10, 0.0)
        waiting = asyncio.create_task(budget.reserve(10, 0.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        budget.settle(held, tokens=0, cost_usd=0.0)
        await asyncio.wait_for(budget.reserve(10, 0.0), 1)

    asyncio.run(main())
