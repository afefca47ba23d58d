"""The circuit breaker: when an endpoint stops answering, everybody waits while one probes.

Without it a dead endpoint would burn every record's retries in a minute. Failures in a row (no
success in between) open it; it pauses, lets one call through, and closes at the first success. When
it has been failing for longer than the configured retries would have taken, it gives up: calls fail
at once, but for one probe a pause.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING

from synth_dspy.errors import EndpointError
from synth_dspy.lm.waiting import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

MAX_PAUSE_S = 30.0
FAILURES_TO_OPEN = 8


class Breaker:
    """The breaker of one endpoint; usable from several event loops.

    Attributes:
        answers: how many calls the endpoint answered.

    Args:
        name: the endpoint's name, for the log and the error.
        pause_s: of the first opening; it doubles up to 30 s.
        patience_s: how long without a success before calls fail at once.
    """

    def __init__(
        self,
        name: str,
        *,
        pause_s: float = 1.0,
        patience_s: float = 31.0,
        failures_to_open: int = FAILURES_TO_OPEN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._pause_s = pause_s
        self._patience_s = patience_s
        self._failures_to_open = failures_to_open
        self._clock = clock
        self._lock = threading.Lock()
        self._waiters = Waiters()
        self.answers = 0
        self._failures = 0
        self._failing_since = 0.0
        self._openings = 0
        self._until: float | None = None  # None: closed
        self._probing = False
        self._last = ""

    @property
    def is_open(self) -> bool:
        """Whether calls are held back now."""
        return self._until is not None

    async def wait(self) -> bool:
        """Return when a call may go out: False while closed, True for the one that probes.

        Raises:
            EndpointError: reason `endpoint_down`, the endpoint has failed for too long.
        """
        while True:
            with self._lock:
                if self._until is None:
                    return False
                now = self._clock()
                delay = self._until - now
                if delay <= 0 and not self._probing:
                    self._probing = True
                    return True
                if now - self._failing_since > self._patience_s:
                    raise EndpointError(
                        "endpoint_down",
                        f"endpoint {self._name!r} has not answered for "
                        f"{now - self._failing_since:.0f} s ({self._last}); run again to go on",
                    )
                waiter = self._waiters.add()
            try:
                # A prober's outcome wakes us earlier; with one under way, look again soon.
                await asyncio.wait_for(waiter.future, max(delay, 0.02 if delay > 0 else 1.0))
            except TimeoutError:
                pass
            finally:
                with self._lock:
                    self._waiters.remove(waiter)

    def success(self) -> None:
        """The endpoint answered (a refusal of one request is an answer, too)."""
        self.answers += 1
        self._failures = 0
        if self._until is None:
            return
        with self._lock:
            self._until, self._openings, self._probing = None, 0, False
            self._waiters.grant_all()
        logger.info("Endpoint %r answers again.", self._name)

    def failure(self, why: str, *, retry_after_s: float | None = None, probe: bool = False) -> None:
        """A call failed in a way that says something about the endpoint."""
        with self._lock:
            now = self._clock()
            self._last = why
            if self._failures == 0:
                self._failing_since = now
            self._failures += 1
            if self._until is not None and not probe:
                return  # it was under way when the breaker opened
            if self._failures < self._failures_to_open and not probe:
                return
            backoff = self._pause_s * 2 ** min(self._openings, 16)
            pause = min(MAX_PAUSE_S, max(backoff, retry_after_s or 0.0))
            self._until = now + pause
            self._openings += 1
            self._probing = False
            first = self._openings == 1
        if first:
            logger.warning(
                "Endpoint %r fails (%s): pausing %.1f s, then trying again.", self._name, why, pause
            )

    def abandoned(self) -> None:
        """The probing call was cancelled: somebody else must probe."""
        with self._lock:
            self._probing = False
            self._waiters.grant_all()
