"""Servers and clients in processes of their own, so that each one's CPU and memory is its own.

Each is a module run with `python -m`: a server prints its address and serves until it is killed, a
client prints one JSON object and ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving(module: str, *arguments: object) -> Iterator[str]:
    """The address of a server that runs as long as the block."""
    with subprocess.Popen(_command(module, arguments), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def ran(module: str, *arguments: object) -> dict[str, Any]:
    """What a client printed last.

    Raises:
        subprocess.CalledProcessError: it failed; its own words are on standard error.
    """
    done = subprocess.run(
        _command(module, arguments), check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _command(module: str, arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]
