"""Reading and writing whole messages on bare descriptors, with functions nobody can patch later."""

from __future__ import annotations

import json
import os
from typing import Any

_read, _write, _dumps = os.read, os.write, json.dumps


def read_exactly(fd: int, size: int) -> bytes:
    """`size` bytes from `fd`.

    Raises:
        EOFError: if the other side closed it first.
    """
    data = bytearray()
    while len(data) < size:
        part = _read(fd, min(1 << 16, size - len(data)))
        if not part:
            raise EOFError(f"{len(data)} of {size} bytes")
        data += part
    return bytes(data)


def read_task(fd: int, size: int) -> tuple[dict[str, Any], str]:
    """What the host wrote for the side that knows the tests: a line of JSON, then the source."""
    head, _, source = read_exactly(fd, size).partition(b"\n")
    return json.loads(head), source.decode()


def write_record(fd: int, record: dict[str, Any]) -> None:
    """One JSON line."""
    view = memoryview(_dumps(record).encode() + b"\n")
    while view:
        view = view[_write(fd, view) :]
