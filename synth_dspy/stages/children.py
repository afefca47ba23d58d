"""Work on bytes that nobody trusts, in child processes: one a core, each call within a time limit.

A call that kills its child, or does not end, takes no other call along. Knows no stage.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class ChildDiedError(Exception):
    """The call ended its process: out of memory, or a fault of a library."""


class Children:
    """Starts a process when there is work for it; each is a pool of its own, so that what ends one
    leaves the others alone.

    Args:
        timeout_s: of one call; its process is then killed.
        count: how many at most; None is one a core.
    """

    def __init__(self, timeout_s: float = 300.0, count: int | None = None) -> None:
        self.count = count or os.cpu_count() or 1
        self.timeout_s = timeout_s
        self._idle: list[ProcessPoolExecutor] = []
        self._free: asyncio.Semaphore | None = None

    @property
    def started(self) -> int:
        """How many processes wait for work."""
        return len(self._idle)

    async def call(
        self,
        function: Callable[Arguments, Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """What a module's function returns, or raises, in a child process.

        Raises:
            ChildDiedError: the process ended.
            TimeoutError: `timeout_s` passed.
        """
        assert not named, "a process pool takes arguments by position"
        free = self._free = self._free or asyncio.Semaphore(self.count)
        async with free:
            pool = self._idle.pop() if self._idle else _new()
            work = asyncio.get_running_loop().run_in_executor(pool, function, *arguments)
            try:
                result = await asyncio.wait_for(work, self.timeout_s)
            except BrokenProcessPool as error:
                pool.shutdown(wait=False)
                raise ChildDiedError(str(error)) from error
            except (TimeoutError, asyncio.CancelledError):
                _kill(pool)  # the call would go on, and hold up `close`
                raise
            except BaseException:
                self._idle.append(pool)
                raise
            self._idle.append(pool)
            return result

    def close(self) -> None:
        """End the processes; a later call starts others."""
        idle, self._idle, self._free = self._idle, [], None
        for pool in idle:
            pool.shutdown(cancel_futures=True)


def _new() -> ProcessPoolExecutor:
    # A forked child would inherit threads that hold locks; spawn starts clean.
    return ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=_obey_the_parent_alone
    )


def _kill(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


def _obey_the_parent_alone() -> None:
    """Ctrl+C reaches every process of a terminal: the parent answers it. And when the parent is
    killed, its children end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
