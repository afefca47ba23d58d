"""Requests and tokens a minute: each call gets a moment at which it may start.

Calls are spread evenly (generic cell rate), so no minute, wherever it begins, holds more than the
limit and one call more.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """Spreads calls of one endpoint; None is no limit."""

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._token_s = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next_request = self._next_token = 0.0

    def book(self, tokens: int) -> float:
        """Seconds to wait before a call of about `tokens` tokens may start."""
        if not self._request_s and not self._token_s:
            return 0.0
        with self._lock:
            now = self._clock()
            start = max(now, self._next_request, self._next_token)
            self._next_request = start + self._request_s
            self._next_token = start + tokens * self._token_s
            return start - now

    def correct(self, booked: int, used: int) -> None:
        """Say how many tokens a booked call really used."""
        if self._token_s:
            with self._lock:
                self._next_token += (used - booked) * self._token_s
