"""A Docker engine that can go away and come back: the real one, behind a socket file of our own."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest


class Engine:
    """The engine behind a socket file of our own, so that it can go away and come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        real = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        if not real.startswith("unix://"):
            pytest.skip(
                f"DOCKER_HOST is {real}; the engine is needed on this machine's socket file"
            )
        self.real = real.removeprefix("unix://")
        self.listener: socket.socket | None = None
        self.open: list[socket.socket] = []

    @property
    def host(self) -> str:
        """What DOCKER_HOST has to be to reach it."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Answers from now on."""
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.real)
                self.open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def stop(self) -> None:
        """Nobody answers any more, and every connection ends."""
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
            self.path.unlink()
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open.clear()
