"""The switch that ends asking: after it, calls in flight end and none that waits is made.

A call waits for budget, for a place, for the pace, for an endpoint that rests, and between two
attempts, up to a minute each. Whoever wants the run to end must not wait for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from synth_dspy.errors import AdmissionError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stopper:
    """Of all endpoints of a `Models`; usable from several event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._waiting: dict[asyncio.Task[object], asyncio.AbstractEventLoop] = {}

    def stop(self) -> None:
        """Let nobody through who waits now or later; a second call does nothing."""
        with self._lock:
            self._stopped = True
            waiting = list(self._waiting.items())
        for task, loop in waiting:
            with contextlib.suppress(RuntimeError):  # its loop is closed, so it waits no more
                loop.call_soon_threadsafe(self._wake, task)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Around everything that a call waits for before it is made.

        Raises:
            AdmissionError: `stop` was called before or meanwhile.
        """
        task = asyncio.current_task()
        assert task is not None
        with self._lock:
            if self._stopped:
                raise AdmissionError(_STOPPED)
            self._waiting[task] = asyncio.get_running_loop()
        cancelling = task.cancelling()
        try:
            yield
        except asyncio.CancelledError:
            # Of two who cancelled the task, the other one wins, as with `asyncio.timeout`.
            if task not in self._waiting and task.uncancel() <= cancelling:
                raise AdmissionError(_STOPPED) from None
            raise
        finally:
            self._waiting.pop(task, None)

    def _wake(self, task: asyncio.Task[object]) -> None:
        if self._waiting.pop(task, None) is not None:
            task.cancel()


_STOPPED = "The run is being stopped: this call was not made."
