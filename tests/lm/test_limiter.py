"""Lanes, pace and breaker."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.errors import EndpointError
from synth_dspy.lm.breaker import FAILURES_TO_OPEN, MAX_PAUSE_S, Breaker
from synth_dspy.lm.limiter import Lane, Limiter
from synth_dspy.lm.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def play(lane: Lane, refused: float, calls: int) -> None:
    """Run calls one after the other of which a share is refused, evenly spread."""

    async def main() -> None:
        debt = 0.0
        for _ in range(calls):
            epoch = await lane.acquire()
            debt += refused
            lane.release(epoch, "throttled" if debt >= 1 else "ok")
            debt -= debt >= 1

    asyncio.run(main())


def test_a_lane_starts_at_its_ceiling_and_never_passes_it() -> None:
    lane = Lane(16)
    play(lane, 0.0, 500)
    assert lane.limit == 16


def test_refusals_lower_the_limit_down_to_one_at_least() -> None:
    lane = Lane(64)
    play(lane, 1.0, 2000)
    assert lane.limit == 1


def test_a_few_scattered_refusals_do_not_slow_anybody_down() -> None:
    lane = Lane(64)
    play(lane, 0.05, 2000)
    assert lane.limit > 55


def test_the_limit_comes_back_when_the_endpoint_recovers() -> None:
    lane = Lane(32)
    play(lane, 1.0, 500)
    play(lane, 0.0, 2000)
    assert lane.limit == 32


def test_calls_started_before_a_change_do_not_lower_the_limit_twice() -> None:
    async def main() -> float:
        lane = Lane(64)
        epochs = [await lane.acquire() for _ in range(64)]
        for epoch in epochs:
            lane.release(epoch, "throttled")
        first = lane.limit
        for epoch in epochs:  # as if another 64 of that epoch came back late
            lane.in_flight += 1
            lane.release(epoch, "throttled")
        return lane.limit / first

    assert asyncio.run(main()) == 1.0


@given(ceiling=st.integers(1, 5), calls=st.integers(1, 30), cancelled=st.sets(st.integers(0, 29)))
def test_a_lane_never_lets_more_in_than_its_limit_and_loses_no_slot(
    ceiling: int, calls: int, cancelled: set[int]
) -> None:
    lane, most = Lane(ceiling), 0

    async def one() -> None:
        nonlocal most
        epoch = await lane.acquire()
        most = max(most, lane.in_flight)
        try:
            await asyncio.sleep(0)
        finally:
            lane.release(epoch, "ok")

    async def main() -> None:
        tasks = [asyncio.create_task(one()) for _ in range(calls)]
        await asyncio.sleep(0)
        for number in cancelled:
            if number < calls:
                tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(asyncio.wait_for(main(), 5))
    assert most <= ceiling
    assert lane.in_flight == 0


def test_a_lane_holds_across_event_loops() -> None:
    lane, most = Lane(2), 0
    lock = threading.Lock()

    async def main() -> None:
        async def one() -> None:
            nonlocal most
            epoch = await lane.acquire()
            with lock:
                most = max(most, lane.in_flight)
            await asyncio.sleep(0.001)
            lane.release(epoch, "ok")

        await asyncio.gather(*(one() for _ in range(20)))

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert (most, lane.in_flight) == (2, 0)


def test_images_and_text_have_ceilings_of_their_own() -> None:
    async def main() -> None:
        limiter = Limiter(concurrency=1, vision_concurrency=1)
        await limiter.admit(vision=True, tokens=1)
        await asyncio.wait_for(limiter.admit(vision=False, tokens=1), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limiter.admit(vision=True, tokens=1), 0.02)

    asyncio.run(main())


@given(
    rpm=st.integers(1, 600),
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 500)), min_size=2, max_size=60),
)
def test_no_minute_holds_more_requests_than_the_limit_and_one(
    rpm: int, steps: list[tuple[float, int]]
) -> None:
    clock = Clock()
    pace = Pace(rpm, None, clock=clock)
    starts = []
    for wait, tokens in steps:
        clock.now += wait
        starts.append(clock.now + pace.book(tokens))
    assert all(
        sum(start <= other < start + 60 - 1e-6 for other in starts) <= rpm + 1 for start in starts
    )


def test_tokens_a_minute_are_kept_with_what_calls_really_used() -> None:
    clock = Clock()
    pace = Pace(None, 600, clock=clock)
    assert pace.book(100) == 0
    pace.correct(100, 20)  # 20 tokens are two seconds at 600 a minute
    assert pace.book(10) == pytest.approx(2.0)


def test_without_limits_nothing_waits() -> None:
    assert Pace(None, None).book(10**9) == 0


def failing(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failure("HTTP 500")


def test_failures_with_successes_in_between_never_open_the_breaker() -> None:
    breaker = Breaker("x")
    for _ in range(50):
        failing(breaker, FAILURES_TO_OPEN - 1)
        breaker.success()
    assert not breaker.is_open


def test_an_open_breaker_lets_one_probe_through_and_closes_when_it_succeeds() -> None:
    async def main() -> tuple[int, int]:
        breaker = Breaker("x", pause_s=0.02)
        failing(breaker, FAILURES_TO_OPEN)
        tasks = [asyncio.create_task(breaker.wait()) for _ in range(5)]
        await asyncio.sleep(0.06)
        early = sum(task.done() for task in tasks)
        breaker.success()
        return early, sum(await asyncio.gather(*tasks))

    assert asyncio.run(main()) == (1, 1)


def test_a_cancelled_probe_is_replaced_by_another() -> None:
    async def main() -> bool:
        breaker = Breaker("x", pause_s=0.0)
        failing(breaker, FAILURES_TO_OPEN)
        assert await breaker.wait()
        second = asyncio.create_task(breaker.wait())
        await asyncio.sleep(0)
        breaker.abandoned()
        return await asyncio.wait_for(second, 1)

    assert asyncio.run(main())


def test_pauses_double_and_are_capped() -> None:
    async def main() -> list[float]:
        clock = Clock()
        breaker = Breaker("x", pause_s=1.0, patience_s=1e9, clock=clock)
        failing(breaker, FAILURES_TO_OPEN)
        pauses = []
        for _ in range(8):
            before, assured = clock.now, breaker._until
            assert assured is not None
            pauses.append(assured - before)
            clock.now = assured
            assert await breaker.wait()
            breaker.failure("HTTP 500", probe=True)
        return pauses

    pauses = asyncio.run(main())
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(pauses) == MAX_PAUSE_S


def test_an_endpoint_that_fails_for_too_long_fails_calls_at_once_and_says_so() -> None:
    async def main() -> None:
        clock = Clock()
        breaker = Breaker("x", patience_s=10.0, clock=clock)
        failing(breaker, FAILURES_TO_OPEN)
        clock.now += 0.5
        for _ in range(5):  # probes that fail
            clock.now += 5
            if await breaker.wait():
                breaker.failure("connection refused", probe=True)
        await breaker.wait()

    with pytest.raises(EndpointError, match=r"endpoint_down.*connection refused") as caught:
        asyncio.run(main())
    assert caught.value.retryable
