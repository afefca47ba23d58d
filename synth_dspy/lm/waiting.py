"""Waiters of any event loop in one queue: limits hold across the run's loop and the sync bridge's.

asyncio's own primitives belong to one loop. Here the owner holds a lock, decides, and grants; the
waiter wakes in its own loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

_TURNS = 3  # of the loop, from the grant to the socket: the waiter, aiohttp's request, its writer


@dataclass(eq=False, slots=True)
class Waiter:
    """One task that waits; `granted` is set under the owner's lock."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]
    granted: bool = False


class Waiters:
    """First come, first served. Every method must be called under the owner's lock."""

    def __init__(self) -> None:
        self._queue: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self) -> Waiter:
        """Queue the calling task; it then awaits `waiter.future` outside of the lock."""
        loop = asyncio.get_running_loop()
        waiter = Waiter(loop, loop.create_future())
        self._queue.append(waiter)
        return waiter

    def remove(self, waiter: Waiter) -> None:
        """Forget a waiter that was cancelled before it was granted."""
        if not waiter.granted:
            self._queue.remove(waiter)

    def grant(self) -> bool:
        """Wake the first waiter; False when there is none."""
        while self._queue:
            waiter = self._queue.popleft()
            waiter.granted = True
            if waiter.loop is asyncio._get_running_loop():  # one turn of the loop sooner
                _resolve(waiter.future)
                return True
            try:
                waiter.loop.call_soon_threadsafe(_resolve, waiter.future)
            except RuntimeError:  # its loop was closed while it waited
                continue
            return True
        return False

    def grant_all(self) -> None:
        """Wake everybody."""
        while self.grant():
            pass


async def give_way() -> None:
    """Let whoever was just granted a place go first.

    A reply frees a place for a call that is ready to be sent. Reading the reply takes longer than
    sending that call; done first, it would leave the place idle, and with hundreds in flight every
    call behind it, too.
    """
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
