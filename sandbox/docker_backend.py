"""Warm Docker containers: no network, read-only root, no capabilities, hard limits.

A container removes itself when its worker ends, and its worker ends when standard input closes,
which Docker does when the client is gone, however it went. Nothing has to be cleaned up later.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.records import Isolation, Limits
from sandbox.wire import Channel, WorkerDied

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "synth-dspy"
POOL_LABEL = "synth-dspy.pool"  # which pool a container belongs to
_START_S = 60.0
_STDOUT = 1


def connect(timeout_s: int = 60) -> DockerClient:
    """A client of the engine that DOCKER_HOST or the default socket names.

    Raises:
        SandboxUnavailable: no engine answers.
    """
    try:
        import docker
        import requests
    except ImportError as error:
        raise SandboxUnavailable(
            f"Docker cannot be asked: {error} (`pip install docker` brings it)"
        ) from error
    try:
        client = docker.from_env(timeout=timeout_s)
        client.ping()
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise SandboxUnavailable(f"no Docker engine answers ({_short(error)})") from error
    return client


def _short(error: BaseException) -> str:
    return str(error).replace("\n", " ")[:200]


class DockerBackend:
    """Starts one container a worker from an image that `sandbox.images` has built."""

    isolation: Isolation = "docker"

    def __init__(
        self, client: DockerClient, image: str, limits: Limits, preload: Sequence[str] = ()
    ) -> None:
        self.client = client
        self.image = image
        self.limits = limits
        self.preload = tuple(preload)
        self.name = secrets.token_hex(8)
        self._lock = threading.Lock()  # the SDK's session is not meant for several threads

    def start(self, hash_seed: int = 0) -> Channel:
        """A container whose worker has greeted.

        Raises:
            SandboxError: the engine refuses, is gone, or the worker does not start.
        """
        import docker
        import requests

        channel: ContainerChannel | None = None
        try:
            with self._lock:
                container = self.client.containers.create(self.image, **self._options(hash_seed))
                channel = ContainerChannel(container, self._lock)
                container.start()
            channel.greet(_START_S)
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            if channel is not None:
                channel.close()
            raise SandboxError(f"Docker could not start a container: {_short(error)}") from error
        except WorkerDied as error:
            if channel is not None:
                channel.close()
            raise SandboxError(f"the worker in the container did not start: {error}") from error
        return channel

    def _options(self, hash_seed: int) -> dict[str, Any]:
        limits = self.limits
        flags = f"rw,noexec,nosuid,nodev,mode=1777,size={limits.tmp_mb}m"
        memory = limits.memory_mb << 20
        return {
            "auto_remove": True,
            "cap_drop": ["ALL"],
            "environment": {
                "SANDBOX_PRELOAD": ",".join(self.preload),
                "PYTHONHASHSEED": str(hash_seed),
            },
            "hostname": "sandbox",
            "ipc_mode": "private",
            "labels": {LABEL: "sandbox", POOL_LABEL: self.name},
            "log_config": {"Type": "none"},
            "mem_limit": memory,
            "memswap_limit": memory,
            "nano_cpus": int(limits.cpus * 1e9),
            "network_mode": "none",
            "pids_limit": limits.pids,
            "read_only": True,
            "security_opt": ["no-new-privileges"],
            "shm_size": "16m",
            "stdin_open": True,
            "tmpfs": {"/tmp": f"{flags},nr_inodes={limits.tmp_inodes}"},
            "user": "65534:65534",
        }

    def header(self) -> dict[str, int]:
        """Docker's own limits suffice."""
        return {}

    def close(self) -> None:
        """Closes the connection to the engine."""
        self.client.close()


class ContainerChannel(Channel):
    """Frames over the attached streams of one container.

    The engine multiplexes standard output and error: 8 bytes (stream, 0, 0, 0, length), the data.
    """

    def __init__(self, container: Any, lock: threading.Lock) -> None:
        super().__init__()
        self._container = container
        self._lock = lock
        self._closed = False
        self._raw = bytearray()
        self._errors = bytearray()
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._stream = container.attach_socket(params=params)
        self._socket: socket.socket = getattr(self._stream, "_sock", self._stream)

    def _send(self, data: bytes, deadline: float) -> None:
        try:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            self._socket.sendall(data)
        except OSError as error:
            raise WorkerDied(f"its standard input is closed: {error}") from error

    def _more(self, deadline: float) -> bytes:
        while True:
            data = self._next_frame()
            if data:
                return data
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise WorkerDied("it did not answer in time")
            try:
                self._socket.settimeout(left_s)
                received = self._socket.recv(1 << 18)
            except TimeoutError as error:
                raise WorkerDied("it did not answer in time") from error
            except OSError as error:
                raise WorkerDied(f"its standard output broke: {error}") from error
            if not received:
                said = self._errors.decode(errors="replace").strip()
                raise WorkerDied(said[-500:] or "the container ended")
            self._raw += received

    def _next_frame(self) -> bytes:
        while len(self._raw) >= 8:
            kind, size = self._raw[0], struct.unpack(">I", self._raw[4:8])[0]
            if len(self._raw) < 8 + size:
                return b""
            data = bytes(self._raw[8 : 8 + size])
            del self._raw[: 8 + size]
            if kind == _STDOUT:
                return data
            self._errors = (self._errors + data)[-4_000:]
        return b""

    def close(self) -> None:
        """Removes the container and waits until the engine has forgotten it."""
        import docker
        import requests

        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.close()
            self._stream.close()
        gone = (docker.errors.NotFound, docker.errors.APIError, requests.RequestException, OSError)
        with self._lock, contextlib.suppress(*gone):
            self._container.remove(force=True)
        with contextlib.suppress(*gone):
            self._container.wait(condition="removed", timeout=10)
