"""How many calls may be in flight at an endpoint: as many as it takes without refusing.

Additive increase, multiplicative decrease, judged once per window of outcomes: a window in which
more than a tenth was refused (429) or timed out lowers the limit by that share, any other raises it
by a twentieth of the ceiling. A few scattered 429s are retried without slowing everybody down.
Text and image calls have a lane each; the pace and the breaker are the endpoint's.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Literal

from synth_dspy.lm.breaker import Breaker
from synth_dspy.lm.pace import Pace
from synth_dspy.lm.waiting import Waiters

Outcome = Literal["ok", "throttled", "failed", "cancelled"]

_TOLERATED = 0.1
_RAISE = 0.05
_MIN_WINDOW = 8


class Lane:
    """An adaptive limit on calls in flight, usable from several event loops.

    Args:
        ceiling: the most that may be in flight; the lane starts there.
    """

    def __init__(self, ceiling: int) -> None:
        if ceiling < 1:
            raise ValueError(f"ceiling is {ceiling!r}; at least one call must be allowed")
        self.ceiling = ceiling
        self.limit = float(ceiling)
        self.in_flight = 0
        self._lock = threading.Lock()
        self._waiters = Waiters()
        self._epoch = self._total = self._refused = 0

    async def acquire(self) -> int:
        """Wait for a slot; returns the epoch, to be handed back to `release`."""
        with self._lock:
            if self.in_flight < int(self.limit) and not len(self._waiters):
                self.in_flight += 1
                return self._epoch
            waiter = self._waiters.add()
        try:
            await waiter.future
        except BaseException:
            with self._lock:
                if waiter.granted:  # the slot was handed over just as we were cancelled
                    self.in_flight -= 1
                    self._hand_on()
                else:
                    self._waiters.remove(waiter)
            raise
        return self._epoch

    def release(self, epoch: int, outcome: Outcome) -> None:
        """Give the slot back and learn from how the call went."""
        with self._lock:
            self.in_flight -= 1
            # Calls that started before the last change say nothing about the limit of now.
            if outcome != "cancelled" and epoch == self._epoch:
                self._total += 1
                self._refused += outcome == "throttled"
                if self._total >= max(_MIN_WINDOW, int(self.limit)):
                    self._adapt()
            self._hand_on()

    def _adapt(self) -> None:
        share = self._refused / self._total
        if share > _TOLERATED:
            self.limit = max(1.0, self.limit * max(0.5, 1.0 - share))
            self._epoch += 1
        else:
            self.limit = min(float(self.ceiling), self.limit + max(1.0, self.ceiling * _RAISE))
        self._total = self._refused = 0

    def _hand_on(self) -> None:
        while self.in_flight < int(self.limit) and self._waiters.grant():
            self.in_flight += 1


@dataclass(slots=True)
class Ticket:
    """Leave to make one attempt; `done` must be called exactly once."""

    _limiter: Limiter
    _lane: Lane
    _epoch: int
    _probe: bool
    _booked: int

    def done(
        self,
        outcome: Outcome,
        *,
        tokens: int | None = None,
        why: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        """Say how the attempt went.

        Args:
            tokens: that it used, when the reply said so.
            why: of a failure, for the log.
        """
        breaker = self._limiter.breaker
        if outcome == "ok":
            breaker.success()
            if tokens is not None:
                self._limiter.pace.correct(self._booked, tokens)
        elif outcome == "cancelled":
            if self._probe:
                breaker.abandoned()
        else:
            breaker.failure(why, retry_after_s=retry_after_s, probe=self._probe)
        self._lane.release(self._epoch, outcome)


class Limiter:
    """Everything that decides when a call to one endpoint may start.

    Args:
        concurrency, vision_concurrency: ceilings of calls in flight without and with images.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        vision_concurrency: int,
        pace: Pace | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.text = Lane(concurrency)
        self.vision = Lane(vision_concurrency)
        self.pace = pace or Pace(None, None)
        self.breaker = breaker or Breaker("")

    async def admit(self, *, vision: bool, tokens: int) -> Ticket:
        """Wait until a call of about `tokens` tokens may start.

        Raises:
            EndpointError: the breaker gave the endpoint up.
        """
        lane = self.vision if vision else self.text
        epoch = await lane.acquire()
        probe = False
        try:
            probe = await self.breaker.wait()
            delay = self.pace.book(tokens)
            if delay > 0:
                await asyncio.sleep(delay)
        except BaseException:
            if probe:
                self.breaker.abandoned()
            lane.release(epoch, "cancelled")
            raise
        return Ticket(self, lane, epoch, probe, tokens)
