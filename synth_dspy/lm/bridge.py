"""The synchronous face of an async engine, for optimizers, which call `forward`.

One event loop in a daemon thread, started at the first call and shared by all endpoints of a
`Models`. Context variables travel along, so meters and traces work on both sides.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dspy import lm15

    from synth_dspy.lm.contract import AsyncEngine

T = TypeVar("T")


class Background:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for it.

        Raises:
            RuntimeError: called from that loop itself, where waiting would never end.
        """
        loop = self._started()
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError(
                "A model was called synchronously from the loop that serves such calls; "
                "call acall() there."
            )
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    @property
    def started(self) -> bool:
        """Whether anything was ever run."""
        return self._loop is not None

    def close(self) -> None:
        """Stop the loop and its thread; a second call does nothing."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5)
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self._loop = loop
                self._thread = threading.Thread(
                    target=loop.run_forever, name="synth-dspy-models", daemon=True
                )
                self._thread.start()
            return self._loop


class SyncEngine:
    """`dspy.LM(engine=...)` for an async engine."""

    def __init__(self, engine: AsyncEngine, background: Background) -> None:
        self._engine = engine
        self._background = background

    def __repr__(self) -> str:
        return f"SyncEngine({self._engine!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> SyncEngine:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("An engine holds a key and sockets; it is not serialised.")

    def complete(self, request: lm15.Request) -> lm15.Response:
        """The reply. Raises whatever the async engine raises."""
        return self._background.run(self._engine.complete(request))
