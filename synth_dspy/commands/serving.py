"""serve: a configuration in, a server that answers until it is told to end.

SIGINT and SIGTERM end it gracefully: what was accepted is finished, then the backend is closed and
the command ends with 0. Its log is a JSON object a line, on standard error.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.config import Config, load_config
from synth_dspy.errors import SetupError

if TYPE_CHECKING:
    import uvicorn

    from synth_dspy.config.routing import Serving


def run_server(
    path: Path | None, overrides: Sequence[str], *, host: str | None, port: int | None
) -> None:
    """Serve until a signal.

    Raises:
        ConfigError: the configuration is wrong, or others could reach it without a key.
        BackendError: the configured content is not there. SetupError: the port is taken.
    """
    arguments = list(overrides)
    arguments += [f"routing.serving.host={host}"] if host is not None else []
    arguments += [f"routing.serving.port={port}"] if port is not None else []
    config = load_config(path or routing_config_path(), arguments).config
    # FastAPI and DSPy take a second or two, which `--help` must not.
    from synth_dspy.service.app import create_app
    from synth_dspy.service.synthesis import SyntheticDataService

    _log_as_json()
    service = SyntheticDataService(config)
    try:
        asyncio.run(_serve(create_app(service), config))
    finally:
        service.backend.close()


def routing_config_path() -> Path:
    """The configuration that comes with the project: of this checkout, or as installed."""
    package = Path(__file__).resolve().parents[1]
    here = package.parent / "configs" / "routing.yaml"
    return here if here.is_file() else package / "_configs" / "routing.yaml"


async def _serve(app: Any, config: Config) -> None:
    import uvicorn

    serving = config.routing.serving
    listening = listening_socket(serving.host, serving.port)
    server = uvicorn.Server(server_settings(app, serving))
    _end_on_signals(server)
    address, actual = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    sys.stderr.write(
        f"serving http://{shown}:{actual}/synthetic (docs: http://{shown}:{actual}/docs); "
        "Ctrl+C ends it\n"
    )
    sys.stderr.flush()
    # uvicorn's own handlers would raise the signal again, and end the command as if it had failed.
    await server._serve([listening])


def server_settings(app: Any, serving: Serving) -> uvicorn.Config:
    """What the server runs the app with."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        # uvicorn would believe anybody on this machine, and so have no rate limit for them.
        proxy_headers=bool(serving.trusted_proxies),
        forwarded_allow_ips=list(serving.trusted_proxies),
        timeout_graceful_shutdown=serving.shutdown_seconds,
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens: who connects from now on waits, and is not refused.

    Raises:
        SetupError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small packets at once only on sockets that say they are TCP; on others an answer
    # waits 40 ms for the client to acknowledge its headers.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise SetupError(
            f"{host}:{port} cannot be listened at: {error.strerror}. Name another with --port, or "
            "0 for any free one."
        ) from error
    return listening


def _end_on_signals(server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.force_exit = server.should_exit  # the second signal waits for nobody
        server.should_exit = True

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, end)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    for name in ("synth_dspy.service", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == "synth_dspy.service" else logging.WARNING)


class _JsonLines(logging.Formatter):
    """One object a line: time, level, message, and what a request was."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "request", {}),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return orjson.dumps(said).decode()
