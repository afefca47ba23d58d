"""The processes of one job, forked before the job is there and told about it when it comes.

They are forked from the clean worker, after all of the job before was swept away; so nothing that
ran can have touched them, and what their birth costs is paid while the host thinks. Each has shut
itself in (`child.enter`) and waits on its own pipe for its orders: a 4-byte big-endian length, then
JSON with the limits and the sizes of the blobs that follow. A pipe that closes ends it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import threading
import traceback
from typing import Any

from . import child, evaluate, inproc, split
from .pipes import read_exactly
from .seccomp import Filter

PIPE_SIZE = 1 << 19
_SET_PIPE_SIZE = 1031


class Birthplace:
    """What the worker has ready for every child that it will fork.

    Args:
        folder: where each child makes a folder of its own.
    """

    def __init__(self, libc: ctypes.CDLL, folder: str) -> None:
        self.libc = libc
        self.folder = folder
        self.filter = Filter()
        self.prepared = inproc.Prepared()
        self.bare_fork = ctypes.PyDLL(None, use_errno=True).fork
        self.is_single = threading.active_count() == len(os.listdir("/proc/self/task")) == 1

    def fork(self, role: str, keep: list[int], output: tuple[int, int]) -> Child:
        """A child that waits for its orders.

        Args:
            role: `solution` and `split` are the two of a split job; `single` does the others.
            keep: descriptors that it keeps besides its task pipe, which is the first.
        """
        reader, writer = os.pipe()
        pid = self._fork()
        if pid == 0:
            self._live(role, [reader, *keep], output)
        os.close(reader)
        return Child(pid, writer)

    def _fork(self) -> int:
        """As `os.fork`, without what Python then does for threads and locks that are not there.

        Making new locks and seeding `random` anew touches 220 pages, each of which the child then
        copies: 0.6 ms of the 1.0 ms that a fork takes. Seeds are set by `child.limit`.
        """
        if not self.is_single:
            return os.fork()
        pid: int = self.bare_fork()
        if pid < 0:
            raise OSError(ctypes.get_errno(), "fork")
        return pid

    def _live(self, role: str, keep: list[int], output: tuple[int, int]) -> None:
        """Never returns: this is the child."""
        try:
            folder = os.path.join(self.folder, f"job-{os.getpid()}")
            os.mkdir(folder, 0o700)
            readable = role != "split"
            fds = child.enter(self.libc, self.filter, keep, output, folder, readable=readable)
            try:
                (size,) = struct.unpack(">I", read_exactly(fds[0], 4))
            except EOFError:  # there will be no job
                os._exit(0)
            orders = json.loads(read_exactly(fds[0], size))
            child.limit(orders)
            first, second = orders["sizes"]
            if role == "solution":
                split.solution_main(fds[0], first, fds[1])
            elif role == "split":
                split.test_main(fds[0], second, fds[1], fds[2])
            elif orders["mode"] == "evaluate":
                evaluate.main(fds[0], (first, second), fds[1])
            else:
                inproc.main(self.prepared, fds[0], (first, second), fds[1])
            inproc.flush()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(97)


class Child:
    """One process, from the worker's side. `task`: the writing end of its pipe."""

    def __init__(self, pid: int, task: int) -> None:
        self.pid = pid
        self.task = task

    def order(self, orders: dict[str, Any]) -> None:
        """Tells it what to do; one that is dead does not hear, which the job's end will show."""
        body = json.dumps(orders).encode()
        with contextlib.suppress(BrokenPipeError):
            os.write(self.task, struct.pack(">I", len(body)) + body)

    def end(self) -> tuple[int, int]:
        """Kills and reaps it: its exit status (as subprocess has it) and peak in MB."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.pid, 0)
        return os.waitstatus_to_exitcode(status), usage.ru_maxrss >> 10

    def is_alive(self) -> bool:
        """Whether it has not ended (nothing is reaped)."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


class Children:
    """All that one job needs: a child, or two that share a socket, and the pipes they write to.

    Attributes:
        main: writes the record.
        solution: the other process of a split job.
        results: reading ends of the record, of standard output and of standard error.
    """

    def __init__(self, birthplace: Birthplace, *, split: bool) -> None:
        record, output, errors = _pipe(), _pipe(), _pipe()
        written = (output[1], errors[1])
        self.solution: Child | None = None
        if split:
            mine, theirs = socket.socketpair()
            self.solution = birthplace.fork("solution", [theirs.fileno()], written)
            theirs.close()
            self.main = birthplace.fork("split", [record[1], mine.fileno()], written)
            mine.close()
        else:
            self.main = birthplace.fork("single", [record[1]], written)
        for fd in (record[1], *written):
            os.close(fd)
        self.results = (record[0], output[0], errors[0])

    def fit(self, *, split: bool) -> bool:
        """Whether a job of this kind can be theirs."""
        both = [self.main, self.solution] if self.solution else [self.main]
        return split == (self.solution is not None) and all(one.is_alive() for one in both)

    def discard(self) -> None:
        """Ends children that got no job."""
        for one in (self.main, self.solution):
            if one is not None:
                os.close(one.task)
                one.end()
        for fd in self.results:
            os.close(fd)


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):  # a quota of pipe pages: small ones only fill sooner
        fcntl.fcntl(writer, _SET_PIPE_SIZE, PIPE_SIZE)
    return reader, writer
