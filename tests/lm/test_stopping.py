"""A run that is being stopped: what is in flight ends, and nothing else is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import dspy
import pytest

from synth_dspy.errors import AdmissionError
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.models import Models
from synth_dspy.lm.stopping import Stopper
from tests.lm.conftest import Ask, endpoint
from tests.loopback import Loopback, Reply

Make = Callable[..., Any]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other tasks or the server do."""
    while not condition():  # noqa: ASYNC110 - the server is in another thread
        await asyncio.sleep(0.001)


async def ask(models: Models, number: int = 0) -> str:
    reply = await dspy.Predict(Ask).acall(question=f"Number {number}?", lm=models.lm("answer"))
    return str(reply.answer)


def stopped(
    make_models: Make,
    server: Loopback,
    work: Callable[[Models], list[Awaitable[str]]],
    *,
    requests: int = 1,
    budget: Budget | None = None,
    **settings: Any,
) -> list[Any]:
    """How calls end when the run is stopped once the server has had so many requests."""

    async def main() -> list[Any]:
        asked = endpoint(server.url, **settings)
        async with make_models(asked, budget=budget, concurrency=1) as models:
            tasks = [asyncio.ensure_future(one) for one in work(models)]
            await until(lambda: server.count == requests)
            await asyncio.sleep(0.02)  # for those that are now in line to be so
            models.stop()
            return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(main())


def test_a_call_in_flight_ends_and_those_in_line_are_not_made(make_models: Make) -> None:
    with Loopback(latency_s=0.2) as server:
        first, *others = stopped(make_models, server, lambda m: [ask(m, n) for n in range(4)])
    assert first == "Some answer."
    assert [type(one) for one in others] == [AdmissionError] * 3
    assert server.count == 1


def test_a_call_that_was_not_made_leaves_no_trace(make_models: Make, tmp_path: Path) -> None:
    with Loopback(latency_s=0.2) as server:
        stopped(make_models, server, lambda m: [ask(m, n) for n in range(4)])
    lines = (tmp_path / "traces" / "conversations.jsonl").read_text().splitlines()
    assert ["Number 0?" in line for line in lines] == [True]


@pytest.mark.parametrize("wait", ["retry-after", "backoff"])
def test_a_failed_call_is_not_asked_again(make_models: Make, wait: str) -> None:
    headers = {"retry-after": "3600"} if wait == "retry-after" else {}
    busy = Reply('{"error": {"message": "later"}}', status=429, headers=headers)
    with Loopback(lambda prompt: busy) as server:
        (end,) = stopped(make_models, server, lambda m: [ask(m)], retry_delay=3600.0)
    assert isinstance(end, AdmissionError)
    assert server.count == 1


def test_nobody_waits_for_the_pace_any_more(make_models: Make) -> None:
    with Loopback() as server:
        ends = stopped(
            make_models, server, lambda m: [ask(m, n) for n in range(2)], requests_per_minute=1
        )
    assert [type(end) for end in ends] == [str, AdmissionError]


def test_nobody_waits_for_a_resting_endpoint_any_more(make_models: Make) -> None:
    with Loopback(lambda prompt: Reply("{}", status=500)) as server:

        async def main() -> list[Any]:
            settings = endpoint(server.url, retry_delay=30.0, max_retries=0)
            async with make_models(settings, concurrency=1) as models:
                breaker = models.engine("answer").limiter.breaker
                fails = [ask(models, n) for n in range(8)]
                await asyncio.gather(*fails, return_exceptions=True)
                assert breaker.is_open
                waiting = asyncio.ensure_future(ask(models, 9))
                await asyncio.sleep(0.02)
                models.stop()
                return list(await asyncio.gather(waiting, return_exceptions=True))

        (end,) = asyncio.run(main())
    assert isinstance(end, AdmissionError)


def test_nobody_waits_for_the_budget_any_more(make_models: Make) -> None:
    with Loopback(latency_s=0.2) as server:
        budget = Budget(max_tokens_total=500)  # enough for one call at a time
        ends = stopped(
            make_models, server, lambda m: [ask(m, n) for n in range(2)], budget=budget
        )  # fmt: skip
    assert [type(end) for end in ends] == [str, AdmissionError]
    assert "being stopped" in str(ends[1])


def test_a_stored_reply_is_given_all_the_same(loopback: Loopback, make_models: Make) -> None:
    async def main() -> list[str]:
        async with make_models(endpoint(loopback.url)) as models:
            first = await ask(models)
            models.stop()
            return [first, await ask(models)]

    first, again = asyncio.run(main())
    assert first == again
    assert loopback.count == 1


def test_a_task_that_somebody_else_cancels_stays_cancelled() -> None:
    async def main() -> None:
        stopper = Stopper()

        async def wait() -> None:
            with stopper.waiting():
                await asyncio.sleep(3600)

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        stopper.stop()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
