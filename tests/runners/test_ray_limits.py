"""The actor of the limits, called as Ray calls it: what it grants, takes back and never leaks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from synth_dspy.runners.ray.limits import Ceilings, EndpointCeiling, Granted, LimitsActor

ENDPOINT = EndpointCeiling("answer", 5, 1.0, None, None)


def told(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(main, 5))


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def test_a_call_that_could_pass_the_budget_is_refused_in_words() -> None:
    async def main() -> Granted:
        actor = LimitsActor(Ceilings(max_tokens_total=100))
        await actor.reserve("a/0", 60, 0.0)
        await actor.settle("a/0", 60, 0.0)
        return await actor.reserve("b/0", 60, 0.0)

    assert "The budget is reached: 60 tokens are spent" in told(main()).refusal


def test_one_worker_waits_for_the_money_that_another_has_set_aside() -> None:
    async def main() -> tuple[bool, str]:
        actor = LimitsActor(Ceilings(max_tokens_total=100))
        await actor.reserve("a/0", 60, 0.0)
        waiting = asyncio.create_task(actor.reserve("b/0", 60, 0.0))
        await turns()
        waited = not waiting.done()
        await actor.settle("a/0", 10, 0.0)
        return waited, (await waiting).refusal

    assert told(main()) == (True, "")


def test_calls_in_flight_are_counted_over_all_workers() -> None:
    async def main() -> tuple[bool, str]:
        actor = LimitsActor(Ceilings((ENDPOINT,), concurrency=1))
        await actor.admit("a/0", "answer", False, 10)
        waiting = asyncio.create_task(actor.admit("b/0", "answer", False, 10))
        await turns()
        waited = not waiting.done()
        await actor.done("a/0", "ok", 10, "", None)
        return waited, (await waiting).refusal

    assert told(main()) == (True, "")


def test_the_slots_of_a_dead_worker_are_given_to_others() -> None:
    async def main() -> str:
        actor = LimitsActor(Ceilings((ENDPOINT,), concurrency=1))
        await actor.admit("a/0", "answer", False, 10)
        await actor.forget("a")
        granted: Granted = await actor.admit("b/0", "answer", False, 10)
        return granted.refusal

    assert told(main()) == ""


def test_the_money_of_a_dead_worker_counts_as_spent() -> None:
    async def main() -> Granted:
        actor = LimitsActor(Ceilings(max_tokens_total=100))
        await actor.reserve("a/0", 60, 0.0)
        await actor.forget("a")
        return await actor.reserve("b/0", 60, 0.0)

    assert "60 tokens are spent" in told(main()).refusal


def test_a_dead_worker_does_not_go_on_waiting() -> None:
    async def main() -> str:
        actor = LimitsActor(Ceilings((ENDPOINT,), concurrency=1))
        await actor.admit("a/0", "answer", False, 10)
        waiting = asyncio.create_task(actor.admit("b/0", "answer", False, 10))
        await turns()
        await actor.forget("b")
        await asyncio.gather(waiting, return_exceptions=True)
        await actor.done("a/0", "ok", 10, "", None)
        return (await actor.admit("c/0", "answer", False, 10)).refusal

    assert told(main()) == ""


def test_forgetting_one_worker_leaves_the_others_what_they_hold() -> None:
    async def main() -> bool:
        actor = LimitsActor(Ceilings((ENDPOINT,), concurrency=1))
        await actor.admit("a1/0", "answer", False, 10)
        await actor.forget("a")
        waiting = asyncio.create_task(actor.admit("b/0", "answer", False, 10))
        await turns()
        waited = not waiting.done()
        waiting.cancel()
        return waited

    assert told(main())


def test_a_question_that_is_taken_back_is_not_granted_later() -> None:
    async def main() -> str:
        actor = LimitsActor(Ceilings((ENDPOINT,), concurrency=1))
        await actor.admit("a/0", "answer", False, 10)
        waiting = asyncio.create_task(actor.admit("a/1", "answer", False, 10))
        await turns()
        await actor.done("a/1", "cancelled", None, "", None)
        await asyncio.gather(waiting, return_exceptions=True)
        await actor.done("a/0", "ok", 10, "", None)
        return (await actor.admit("b/0", "answer", False, 10)).refusal

    assert told(main()) == ""
