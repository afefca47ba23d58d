"""How the host talks to one worker: frames over a pipe or over an attached container."""

from __future__ import annotations

import itertools
import json
import os
import select
import struct
import subprocess
import time
from abc import ABC, abstractmethod
from typing import Any

from sandbox.decide import Reply

_MAX_HEADER = 1 << 20
_MAX_BLOB = 1 << 20


class WorkerDied(Exception):  # noqa: N818 - caught by the pool, never shown
    """The worker closed, said nothing in time, or broke the protocol. A fresh one is needed."""


class Channel(ABC):
    """One worker, one job at a time. `ask` either returns that job's reply or raises WorkerDied."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ids = itertools.count(1)
        self.hello: dict[str, Any] = {}
        self.jobs = 0

    @abstractmethod
    def _send(self, data: bytes, deadline: float) -> None: ...

    @abstractmethod
    def _more(self, deadline: float) -> bytes:
        """Some bytes; raises WorkerDied at the deadline (monotonic) or at the end."""

    @abstractmethod
    def close(self) -> None:
        """Ends the worker and waits until nothing of it is left. May be called twice."""

    def greet(self, timeout_s: float) -> None:
        """Waits for the worker's first word.

        Raises:
            WorkerDied: with what the worker says it lacks.
        """
        self.hello = self._header(time.monotonic() + timeout_s)
        if not self.hello.get("ready"):
            raise WorkerDied(str(self.hello.get("failed", "the worker did not greet"))[:500])

    def ask(self, header: dict[str, Any], solution: bytes, task: bytes, grace_s: float) -> Reply:
        """Runs one job.

        Raises:
            WorkerDied: when no reply comes within the job's timeout plus `grace_s`.
        """
        deadline = time.monotonic() + header["timeout_s"] + grace_s
        number = next(self._ids)
        body = json.dumps({**header, "id": number, "sizes": [len(solution), len(task)]}).encode()
        self._send(struct.pack(">I", len(body)) + body + solution + task, deadline)
        head = self._header(deadline)
        if head.get("broken"):
            raise WorkerDied(str(head["broken"])[-500:])
        if head.get("id") != number or not isinstance(head.get("sizes"), list):
            raise WorkerDied(f"an answer to another question: {str(head)[:200]}")
        record, output, errors = (self._exactly(n, deadline, _MAX_BLOB) for n in head["sizes"])
        self.jobs += 1
        return Reply(
            exit=int(head["exit"]),
            solution_exit=head["solution_exit"],
            stopped=str(head["stopped"]),
            oom_kills=int(head["oom_kills"]),
            record=record,
            output=output,
            errors=errors,
            seconds=float(head["seconds"]),
            clean=bool(head["clean"]),
        )

    def _header(self, deadline: float) -> dict[str, Any]:
        (size,) = struct.unpack(">I", self._exactly(4, deadline, 4))
        body = self._exactly(size, deadline, _MAX_HEADER)
        try:
            header = json.loads(body)
        except ValueError as error:
            raise WorkerDied("a frame that is not JSON") from error
        if not isinstance(header, dict):
            raise WorkerDied("a frame that is not an object")
        return header

    def _exactly(self, size: int, deadline: float, most: int) -> bytes:
        if not 0 <= size <= most:
            raise WorkerDied(f"a frame of {size} bytes")
        while len(self._buffer) < size:
            self._buffer += self._more(deadline)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


class PipeChannel(Channel):
    """A worker that is our own child process.

    Raises:
        WorkerDied: the program cannot be started.
    """

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        super().__init__()
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, start_new_session=True
            )
        except OSError as error:
            raise WorkerDied(f"{argv[0]} cannot be run: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._err = self._process.stderr.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._err, False)

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select([], [self._in], [], left_s)[1]:
                raise WorkerDied("it does not read")
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise WorkerDied(self._last_words()) from error

    def _more(self, deadline: float) -> bytes:
        left_s = max(0.0, deadline - time.monotonic())
        if not select.select([self._out], [], [], left_s)[0]:
            raise WorkerDied("it did not answer in time")
        data = os.read(self._out, 1 << 18)
        if not data:
            raise WorkerDied(self._last_words())
        return data

    def _last_words(self) -> str:
        try:
            said = os.read(self._err, 4_000).decode(errors="replace").strip()
        except BlockingIOError:
            said = ""
        return said or "its process ended"

    def close(self) -> None:
        """Ends the worker and waits until nothing of it is left. May be called twice."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
