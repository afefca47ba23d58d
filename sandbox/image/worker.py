"""The process that stays: takes jobs from standard input, forks a child or two for each, reports.

A frame is a 4-byte big-endian length, a JSON header, then the blobs whose sizes the header names.
The blobs (solution; task line and test) are spliced from standard input into the children's pipes,
and what children write stays in its pipe until it is spliced out: no test, no nonce and no record
is ever in this process' memory, which every later child inherits.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import stat
import struct
import sys
import termios
import time
import traceback
from typing import Any

from . import child, mounts, sweep
from .children import PIPE_SIZE, Birthplace, Child, Children
from .pipes import read_exactly

_GET_PIPE_SIZE = 1032
_PAUSE_S, _SHORT_PAUSE_S = 0.02, 0.002  # between looks at a job; short once it takes much memory
_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36


class Worker:
    """One job at a time. `alone`: PID 1 of its own namespace, so it may kill all it sees."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.alone = os.getpid() == 1
        self.folder = os.environ.get("SANDBOX_FOLDER", "/tmp")
        self.sweeps = sweep.FOLDERS if self.alone else (self.folder,)
        self.splices = all(stat.S_ISFIFO(os.fstat(fd).st_mode) for fd in (source, sink))
        self.idle_ms = float(os.environ.get("SANDBOX_IDLE_S", "600")) * 1000
        self.kill_count = _open_kill_count()
        self.waiting: Children | None = None

    def prepare(self) -> None:
        """Imports and compiles what every child would, hides this process, says hello."""
        for number in range(1, signal.NSIG):
            if number in signal.valid_signals() - {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
        if os.environ.get(mounts.VARIABLE):
            mounts.mount_own(self.libc, os.environ[mounts.VARIABLE])
        self.libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
        if not self.alone:
            self.libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        import asyncio  # noqa: F401 - loaded for the children
        import doctest  # noqa: F401
        import unittest.mock  # noqa: F401

        for name in filter(None, os.environ.get("SANDBOX_PRELOAD", "").split(",")):
            importlib.import_module(name)
        if "numpy" in sys.modules:
            for name in ("numpy.testing", "numpy.random"):  # numpy loads them only when asked
                importlib.import_module(name)
        child.clean_environment()
        self.birthplace = Birthplace(self.libc, self.folder)
        sys.path[:] = [entry for entry in sys.path if entry and entry != self.own_path()]
        gc.collect()
        gc.freeze()

    @staticmethod
    def own_path() -> str:
        """The folder that holds this package."""
        return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

    def send(self, message: dict[str, Any]) -> None:
        """One frame without blobs."""
        body = json.dumps(message).encode()
        view = memoryview(struct.pack(">I", len(body)) + body)
        while view:
            view = view[os.write(self.sink, view) :]

    def serve(self) -> None:
        """Until standard input closes, or nobody has asked for anything for a while."""
        poll = select.poll()
        poll.register(self.source, select.POLLIN)
        self.waiting = Children(self.birthplace, split=True)
        while poll.poll(self.idle_ms):
            try:
                (size,) = struct.unpack(">I", read_exactly(self.source, 4))
                header = json.loads(read_exactly(self.source, size))
            except EOFError:
                return
            try:
                self.run(header)
                # The next job is likely to be of the same kind.
                self.waiting = Children(self.birthplace, split=header["mode"] == "split")
            except BaseException:
                self.send({"id": header.get("id"), "broken": traceback.format_exc()[-2000:]})
                os._exit(1)

    def run(self, header: dict[str, Any]) -> None:
        """One job from its blobs to its reply."""
        started = time.perf_counter()
        deadline = time.monotonic() + header["timeout_s"]
        kills = self.out_of_memory_kills()
        children = self.take(split=header["mode"] == "split")
        orders = {key: value for key, value in header.items() if key != "id"}
        first, second = header["sizes"]
        if children.solution:
            self.hand_in(children.solution, {**orders, "sizes": [first, 0]}, deadline)
            first = 0
        self.hand_in(children.main, {**orders, "sizes": [first, second]}, deadline)
        record, output, errors = children.results
        stopped = self.watch(children.main.pid, deadline, (output, errors), header)
        status, usage = children.main.end()
        other_status = children.solution.end()[0] if children.solution else None
        gone = sweep.kill_everything(self.alone)
        left = sweep.empty(self.sweeps)
        ready = [min(_available(fd), PIPE_SIZE) for fd in (record, output, errors)]
        after = self.out_of_memory_kills()
        self.send({
            "id": header["id"], "exit": status, "solution_exit": other_status, "stopped": stopped,
            "oom_kills": after - kills, "sizes": ready, "seconds": time.perf_counter() - started,
            "peak_mb": usage, "clean": gone and not left,
        })  # fmt: skip
        for fd, size in zip((record, output, errors), ready, strict=True):
            self.hand_out(fd, size)
            os.close(fd)

    def take(self, *, split: bool) -> Children:
        """The children that wait, if they suit; else new ones."""
        waiting, self.waiting = self.waiting, None
        if waiting is not None and waiting.fit(split=split):
            return waiting
        if waiting is not None:
            waiting.discard()
            sweep.empty(self.sweeps)
        return Children(self.birthplace, split=split)

    def hand_in(self, one: Child, orders: dict[str, Any], deadline: float) -> None:
        """One child's orders, and the blobs whose sizes they name."""
        one.order(orders)
        self.pour(sum(orders["sizes"]), one.task, deadline)
        os.close(one.task)

    def out_of_memory_kills(self) -> int:
        """How often the kernel killed for memory in this control group; 0 where none is seen."""
        if self.kill_count < 0:
            return 0
        lines = os.pread(self.kill_count, 4096, 0).splitlines()
        counts = [line.split()[1] for line in lines if line.startswith(b"oom_kill ")]
        return int(counts[0]) if counts else 0

    def pour(self, size: int, pipe: int, deadline: float) -> None:
        """Moves `size` bytes from standard input to a child, or to nowhere if it does not read."""
        poll = select.poll()
        poll.register(pipe, select.POLLOUT)
        listening = True
        while size:
            if listening:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not poll.poll(left_s * 1000):
                    listening = False
                    continue
                try:
                    moved = self._move(self.source, pipe, size)
                except BrokenPipeError:
                    listening = False
                    continue
            else:
                moved = len(os.read(self.source, min(size, 1 << 16)))
            if not moved:
                raise EOFError("the host closed in the middle of a job")
            size -= moved

    def _move(self, source: int, sink: int, size: int) -> int:
        if self.splices:
            return os.splice(source, sink, size)
        return os.write(sink, os.read(source, min(size, 4096)))

    def hand_out(self, fd: int, size: int) -> None:
        """Moves what a child has written to standard output."""
        while size:
            size -= self._move(fd, self.sink, size)

    def watch(
        self, pid: int, deadline: float, outputs: tuple[int, int], header: dict[str, Any]
    ) -> str:
        """Waits for the child; why it was stopped, or "" if it ended by itself."""
        cap = min(header["output_kb"] << 10, *(fcntl.fcntl(fd, _GET_PIPE_SIZE) for fd in outputs))
        allowed = header.get("watch_memory_mb", 0) << 20
        descriptor = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        pause_s = _PAUSE_S
        try:
            while True:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return "timeout"
                if poll.poll(min(left_s, pause_s) * 1000):
                    return ""
                if any(_available(fd) >= cap for fd in outputs):
                    return "output_limit"
                if allowed:
                    used = sweep.memory_of(sweep.descendants(self.alone), allowed)
                    if used > allowed:
                        return "memory"
                    pause_s = _PAUSE_S if used < allowed // 4 else _SHORT_PAUSE_S
        finally:
            os.close(descriptor)


def _open_kill_count() -> int:
    """The file of this control group (version 1 or 2) that counts kills; -1 where none is seen."""
    for path in ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"):
        with contextlib.suppress(OSError):
            return os.open(path, os.O_RDONLY)
    return -1


def _available(fd: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


def main() -> None:
    """Serves jobs on standard input; standard output is for frames only."""
    source, sink = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    worker = Worker(source, sink)
    try:
        worker.prepare()
    except BaseException as error:
        worker.send({"failed": f"{type(error).__name__}: {error}"})
        os._exit(1)
    version = list(sys.version_info[:3])
    worker.send(
        {"ready": True, "alone": worker.alone, "splices": worker.splices, "python": version}
    )
    worker.serve()
