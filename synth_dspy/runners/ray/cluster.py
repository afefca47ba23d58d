"""Ray started here, or joined elsewhere; and what to say when neither works.

An address or nothing enters, a connection leaves. It knows nothing of stages.
"""

from __future__ import annotations

import logging
import os
import socket
from types import TracebackType
from typing import Any, Self

from synth_dspy.errors import SetupError, UserError
from synth_dspy.runners.ray.folder import SessionFolder

_OBJECT_STORE_BYTES = 256 << 20
_CONNECT_S = 5.0
# Every cluster's head speaks HTTP/2: its greeting is a frame of settings (RFC 9113, 3.4).
_SETTINGS_FRAME = 4
_HTTP2_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(
    [0, 0, 0, _SETTINGS_FRAME, 0, 0, 0, 0, 0]
)
_FRAME_HEADER_BYTES = 9
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
}


def ray_module() -> Any:
    """The package `ray`.

    Raises:
        SetupError: it is not installed.
    """
    os.environ.update(_QUIET)  # read at the import, and by every process that Ray starts
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")
    try:
        import ray
    except ImportError as error:
        raise SetupError(
            'Ray is not installed, and `--runner ray` needs it: pip install "synth-dspy[ray]"'
        ) from error
    return ray


class Cluster:
    """A connection to Ray; use it as `with`, or call `close` at the end.

    Attributes:
        cpus: how many processors the cluster offers.
    """

    def __init__(self, ray: Any, folder: SessionFolder | None) -> None:
        self._ray: Any = ray
        self._folder = folder
        self.cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the cluster; one that was started here ends, with all of its processes."""
        self._ray.shutdown()
        if self._folder is not None:
            self._folder.remove()


def connect(address: str = "", *, cpus: int | None = None) -> Cluster:
    """Join the cluster at `address`, or start one here that ends with this process.

    Nothing is reported to anybody, there is no dashboard, and the store of objects in flight is
    bounded to 256 MiB.

    Args:
        address: `host:port` of a cluster's head; "" starts one.
        cpus: of a cluster that is started here; all processors by default.

    Raises:
        SetupError: Ray is not installed, or cannot start here.
        UserError: nothing answers at the address, or what does cannot be joined.
    """
    if address:
        _check_address(address)
    ray = ray_module()
    folder = None if address else SessionFolder()
    own = {
        "address": "local",
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
        "_temp_dir": str(folder.path) if folder else "",
    }
    # No public switch silences Ray's account of a dead worker on standard output; ours is a line.
    ray._private.worker.print_to_stdstream = _unprinted
    try:
        ray.init(
            **({"address": address} if address else own),
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            configure_logging=True,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        if folder is not None:
            folder.remove()
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        if address:
            raise UserError(
                f"--ray-address {address!r}: something answers there, but it cannot be joined "
                f"({why}). The cluster needs the same versions of Ray and Python as this machine, "
                "and its token where it asks for one (RAY_AUTH_MODE=token and RAY_AUTH_TOKEN)."
            ) from error
        raise SetupError(f"Ray could not be started on this machine ({why}).") from error
    return Cluster(ray, folder)


def _unprinted(*_args: object, **_kwargs: object) -> None:
    """What Ray would print."""


def _check_address(address: str) -> None:
    """Ask before Ray does, which tries for minutes and then tells of it in fifty lines."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UserError(
            f"--ray-address {address!r} is no address of a cluster; it looks like 10.0.0.1:6379 "
            "(`ray start --head` prints it)."
        )
    nothing = f"--ray-address {address!r}: nothing answers there ("
    remedy = "). Start the cluster with `ray start --head`, or leave --ray-address out."
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S) as probe:
            if os.environ.get("RAY_USE_TLS", "0") == "1":
                return
            probe.sendall(_HTTP2_HELLO)
            reply = probe.recv(_FRAME_HEADER_BYTES)
    except (OSError, OverflowError) as error:
        raise UserError(f"{nothing}{error}{remedy}") from error
    if len(reply) < 4 or reply[3] != _SETTINGS_FRAME:
        raise UserError(
            f"--ray-address {address!r}: something answers there, but it is no head of a Ray "
            "cluster; `ray start --head` prints its address, 10.0.0.1:6379 for one."
        )
