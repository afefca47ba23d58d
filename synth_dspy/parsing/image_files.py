"""Bytes in, one file out, written by however many processes at a time: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from synth_dspy.errors import StoreError


def write_once(target: Path, data: bytes) -> None:
    """Write `data` to `target`, unless that is there: a name stands for its content.

    Raises:
        StoreError: the file cannot be written; nothing is left behind.
    """
    name = str(target)
    if os.path.exists(name):  # noqa: PTH110 - thrice as fast, and this runs for every image
        return
    part = f"{target.parent}/.{target.name}.{os.getpid()}.{threading.get_ident()}"
    try:
        try:
            _write(part, data)
        except FileNotFoundError:  # the first image of the run
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(part, data)
        os.replace(part, name)  # noqa: PTH105
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise StoreError(f"The image {name} cannot be written: {error.strerror}.") from error


def _write(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
