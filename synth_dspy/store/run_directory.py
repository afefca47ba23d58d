"""The run directory: one folder a stage, its journal, its summary, and the lock.

Nothing is written half: files appear through a temporary name, fsync and rename.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson

from synth_dspy.errors import StoreError
from synth_dspy.store.space import said, shortage


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` at once: a reader sees the old file or the new one, whole.

    Raises:
        StoreError: the disk is full or the folder may not be written.
    """
    write_pieces(path, (data,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """As `write_bytes`, of what need not be in memory at once."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {said(error)}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as indented JSON."""
    write_bytes(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_jsonl(path: Path, values: Iterable[Any]) -> None:
    """Replace `path` by one JSON line a value."""
    option = orjson.OPT_APPEND_NEWLINE
    write_pieces(path, (orjson.dumps(value, option=option) for value in values))


def read_json(path: Path) -> Any:
    """The JSON object in `path`, or None when there is no such file.

    Raises:
        StoreError: the file holds no JSON object, or cannot be read.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {said(error)}") from error
    except orjson.JSONDecodeError as error:
        raise StoreError(f"{path} is not JSON: {error}. Delete it and run again.") from error
    if not isinstance(value, dict):
        raise StoreError(f"{path} holds no JSON object. Delete it and run again.")
    return value


def read_jsonl(path: Path, needed: Sequence[str] = ()) -> Iterator[Any]:
    """The JSON objects of `path`, one a line.

    Args:
        needed: keys that every one must have.

    Raises:
        StoreError: the file cannot be read, or a line of it is no such object.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    value = orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise StoreError(
                        f"{path}, line {number}, is not JSON: {error}. Delete the file and run "
                        "again."
                    ) from error
                if not isinstance(value, dict) or (set(needed) - value.keys()):
                    what = f"object with {', '.join(needed)}" if needed else "object"
                    raise StoreError(
                        f"{path}, line {number}, is no JSON {what}. Delete the file and run again."
                    )
                yield value
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {said(error)}") from error


class RunDirectory:
    """Where a run keeps everything; opened for writing by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    def folder(self, name: str) -> Path:
        """The folder of a stage (`parsed`, `chunks`, ...)."""
        return self.path / name

    def lock(self, *, needs_room: bool = True) -> None:
        """Keep other runs out until `unlock` or the end of the process, however it ends.

        Args:
            needs_room: something is to be written; without it a full disk is no obstacle.

        Raises:
            StoreError: another run holds it; the text gives its process id and host. Or the folder
                cannot be made, or the disk has less than 64 MiB left.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / ".lock").open("a+")
        except OSError as error:
            raise StoreError(
                f"The run directory {self.path} cannot be used: {error.strerror}. Choose another "
                "with --set output_dir=..."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise StoreError(
                f"{self.path} is in use by {holder}. Wait for it to end, or choose another "
                "directory with --set output_dir=..."
            ) from error
        try:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
        except OSError as error:
            if needs_room:
                with suppress(OSError):  # closing tries to write what could not be written
                    file.close()
                raise StoreError(f"{self.path} cannot be written: {said(error)}") from error
        self._lock = file
        if needs_room and (short := shortage(self.path)):
            self.unlock()
            raise StoreError(short)

    def unlock(self) -> None:
        """Let other runs in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
