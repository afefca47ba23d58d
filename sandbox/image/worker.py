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

from . import child, evaluate, inproc, mounts, split, sweep
from .pipes import read_exactly
from .seccomp import Filter

_PIPE_SIZE = 1 << 19
_SET_PIPE_SIZE, _GET_PIPE_SIZE = 1031, 1032
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
        self.filter: Filter | None = None
        self.prepared: inproc.Prepared | None = None

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
            importlib.import_module("numpy.testing")
        self.prepared = inproc.Prepared()
        self.filter = Filter()
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
        idle_ms = float(os.environ.get("SANDBOX_IDLE_S", "600")) * 1000
        while poll.poll(idle_ms):
            try:
                (size,) = struct.unpack(">I", read_exactly(self.source, 4))
                header = json.loads(read_exactly(self.source, size))
            except EOFError:
                return
            try:
                self.run(header)
            except BaseException:
                self.send({"id": header.get("id"), "broken": traceback.format_exc()[-2000:]})
                os._exit(1)

    def run(self, header: dict[str, Any]) -> None:
        """One job from its blobs to its reply."""
        started = time.perf_counter()
        deadline = time.monotonic() + header["timeout_s"]
        kills = out_of_memory_kills()
        record, output, errors = _pipe(), _pipe(), _pipe()
        limits = {key: value for key, value in header.items() if key != "id"}
        other = 0
        keep_socket: list[int] = []
        sizes = tuple(header["sizes"])
        first, second = sizes
        if header["mode"] == "split":
            import socket

            mine, theirs = socket.socketpair()
            task = os.pipe()
            other = os.fork()
            if other == 0:
                keep = [task[0], theirs.fileno()]
                self._become("solution", limits, keep, (output[1], errors[1]), (first, 0))
            theirs.close()
            os.close(task[0])
            self.pour(first, task[1], deadline)
            os.close(task[1])
            keep_socket = [mine.fileno()]
            first = 0
        task = os.pipe()
        pid = os.fork()
        if pid == 0:
            keep = [task[0], record[1], *keep_socket]
            self._become(header["mode"], limits, keep, (output[1], errors[1]), (first, second))
        for fd in (task[0], record[1], output[1], errors[1]):
            os.close(fd)
        if keep_socket:
            mine.close()
        self.pour(first + second, task[1], deadline)
        os.close(task[1])
        stopped = self.watch(pid, deadline, (output[0], errors[0]), header)
        status, usage = self._end(pid)
        other_status = self._end(other)[0] if other else None
        gone = sweep.kill_everything(self.alone)
        left = sweep.empty(self.sweeps)
        ready = [min(_available(fd), _PIPE_SIZE) for fd in (record[0], output[0], errors[0])]
        after = out_of_memory_kills()
        self.send({
            "id": header["id"], "exit": status, "solution_exit": other_status, "stopped": stopped,
            "oom_kills": after - kills, "sizes": ready, "seconds": time.perf_counter() - started,
            "peak_mb": usage, "clean": gone and not left,
        })  # fmt: skip
        for fd, size in zip((record[0], output[0], errors[0]), ready, strict=True):
            self.hand_out(fd, size)
            os.close(fd)

    def _become(
        self,
        role: str,
        limits: dict[str, Any],
        keep: list[int],
        output: tuple[int, int],
        sizes: tuple[int, int],
    ) -> None:
        """Never returns: this is the child."""
        try:
            folder = os.path.join(self.folder, f"job-{os.getpid()}")
            os.mkdir(folder, 0o700)
            hidden = role == "split"
            fds = child.enter(
                self.libc, self.filter, limits, keep, output, folder, readable=not hidden
            )
            if role == "solution":
                split.solution_main(fds[0], sizes[0], fds[1])
            elif role == "split":
                split.test_main(fds[0], sizes[1], fds[1], fds[2])
            elif role == "evaluate":
                evaluate.main(fds[0], sizes, fds[1])
            elif self.prepared is not None:
                inproc.main(self.prepared, fds[0], sizes, fds[1])
            inproc.flush()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(97)

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
        try:
            while True:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return "timeout"
                if poll.poll(min(left_s, 0.02) * 1000):
                    return ""
                if any(_available(fd) >= cap for fd in outputs):
                    return "output_limit"
                if allowed and sweep.uses_more_than(allowed, sweep.descendants(self.alone)):
                    return "memory"
        finally:
            os.close(descriptor)

    @staticmethod
    def _end(pid: int) -> tuple[int, int]:
        """Kills and reaps one child: its exit status (as subprocess has it) and peak in MB."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        return os.waitstatus_to_exitcode(status), usage.ru_maxrss >> 10


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):  # a quota of pipe pages: small ones only fill sooner
        fcntl.fcntl(writer, _SET_PIPE_SIZE, _PIPE_SIZE)
    return reader, writer


def _available(fd: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


def out_of_memory_kills() -> int:
    """How often the kernel killed in this control group (version 1 or 2); 0 where none is seen."""
    for path in ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"):
        try:
            with open(path) as file:
                for line in file:
                    if line.startswith("oom_kill "):
                        return int(line.split()[1])
        except OSError:
            continue
    return 0


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
