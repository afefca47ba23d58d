"""The journal of a stage: one line an input record, holding its whole fan-out.

A line is `{"key": ..., "outputs": [...] | "dropped": {...} | "failed": {...}, "meta": {...}}`.
`key` says what was asked (stage, version, settings, prompts, models, the input's content), so a
line is either the answer to exactly what is asked now or is ignored; the last line of a key wins.
Enters: keys and outcomes. Leaves: outcomes. The journal knows no stage and no record type.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.errors import StoreError
from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome
from synth_dspy.store.index import OffsetIndex
from synth_dspy.store.space import said, shortage

_LINE_START = b'{"key":"'
_KEY_START = len(_LINE_START)
_KEY_CHARS = 32
_SCAN_BYTES = 1 << 22
_READ_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as read: `outcome` with its outputs still JSON objects, and the volatile `meta`."""

    key: str
    outcome: Outcome
    meta: dict[str, Any]


class Journal:
    """An append-only file with an index of its keys.

    A line is handed to the kernel with one `write` before anybody sees the outcome, so `kill -9`
    loses nothing finished; `sync` (called at least once a second by `Syncer`) bounds what a power
    loss can take. Opening truncates the file to its last newline: only dropping a torn line would
    glue the next record onto it.

    Args:
        writable: without it the file is read as it is, torn line and all, and may be missing:
            another process may be writing to it.

    Raises:
        StoreError: the file cannot be opened or written (permissions, a full disk).
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self._index = OffsetIndex()
        self._dirty = False
        self._writable = writable
        self._fd, self._size = -1, 0
        try:
            if writable:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            elif path.exists():
                self._fd = os.open(path, os.O_RDONLY)
            else:
                return
        except OSError as error:
            raise StoreError(f"The journal {path} cannot be opened: {error.strerror}.") from error
        self._size = self._scan()

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def _scan(self) -> int:
        """Index every whole line and cut off a torn one; returns the size in bytes."""
        offset, rest = 0, b""
        with self.path.open("rb") as file:
            while block := file.read(_SCAN_BYTES):
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                for whole in lines:
                    key = whole[_KEY_START : _KEY_START + _KEY_CHARS]
                    try:
                        if not whole.startswith(_LINE_START):
                            raise ValueError("no key")
                        self._index[key.decode("ascii")] = offset
                    except ValueError as error:
                        raise self._damaged(offset, "a line without a key") from error
                    offset += len(whole) + 1
        if rest and self._writable:
            os.ftruncate(self._fd, offset)
        return offset

    def get(self, key: str) -> Entry | None:
        """The last entry of `key`, or None when it was never finished."""
        offset = self._index.get(key)
        if offset is None:
            return None
        try:
            entry = _read(orjson.loads(self._line_at(offset)))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(offset, str(error)) from error
        return entry if entry.key == key else None

    def _damaged(self, offset: int, what: str) -> StoreError:
        with self.path.open("rb") as file:
            number = 1 + sum(
                file.read(min(_SCAN_BYTES, offset - at)).count(b"\n")
                for at in range(0, offset, _SCAN_BYTES)
            )
        return StoreError(
            f"{self.path} is damaged in line {number} (byte {offset}): {what}. "
            "Delete that line and run again: only its record is done again. Or run the stage with "
            "--no-cache, which puts the file aside."
        )

    def _line_at(self, offset: int) -> bytes:
        size, raw = _READ_BYTES, b""
        while b"\n" not in raw and offset + len(raw) < self._size:
            raw = os.pread(self._fd, size, offset)
            size *= 4
        return raw.partition(b"\n")[0]

    def append(self, key: str, outcome: Outcome, meta: dict[str, Any]) -> None:
        """Write one line. When this returns, `kill -9` cannot lose it.

        Raises:
            StoreError: the line could not be written whole; what was written of it is cut off.
        """
        data = line(key, outcome, meta)
        self._put(data)
        self._index[key] = self._size
        self._size += len(data)

    def extend(self, lines: bytes) -> None:
        """Append whole lines of another journal. Raises as `append`."""
        self._put(lines)
        for one in lines.split(b"\n")[:-1]:
            self._index[one[_KEY_START : _KEY_START + _KEY_CHARS].decode("ascii")] = self._size
            self._size += len(one) + 1

    def _put(self, data: bytes) -> None:
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {said(error)}") from error
        if written != len(data):
            os.ftruncate(self._fd, self._size)
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise StoreError(f"{self.path} cannot be written: {said(full)}")
        self._dirty = True

    def sync(self) -> None:
        """Make what was appended survive a power loss."""
        if self._dirty:
            self._dirty = False
            os.fsync(self._fd)

    def close(self) -> None:
        """Sync and close; closing twice is harmless."""
        if self._fd >= 0:
            self.sync()
            os.close(self._fd)
            self._fd = -1


class Syncer:
    """A thread that syncs journals every `interval_s` seconds, until `close`.

    Args:
        watched: a folder whose disk is watched as well.

    Attributes:
        fault: why no further work should be begun (the disk is about to be full), or "".
    """

    def __init__(self, interval_s: float = 0.5, *, watched: Path | None = None) -> None:
        self.fault = ""
        self._watched = watched
        self._journals: list[Journal] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._interval_s = interval_s
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def watch(self, journal: Journal) -> None:
        """Sync `journal` from now on; it is closed by `close`."""
        with self._lock:
            self._journals.append(journal)

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            if self._watched is not None and not self.fault:
                # There is nothing to watch before the first journal has made the folder.
                with contextlib.suppress(FileNotFoundError):
                    self.fault = shortage(self._watched, during_a_run=True)
            with self._lock:
                for journal in self._journals:
                    journal.sync()

    def close(self) -> None:
        """Stop the thread and close every journal."""
        self._stop.set()
        self._thread.join()
        with self._lock:
            for journal in self._journals:
                journal.close()
            self._journals.clear()


def line(key: str, outcome: Outcome, meta: dict[str, Any]) -> bytes:
    """One line of a journal, with its newline."""
    content = {"key": key, **_write(outcome), "meta": meta}
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def replace(path: Path, new: Path) -> Path:
    """Put `new` in the place of `path`, which is kept as `<name>.<time>.old`; returns that name.

    At every moment there is a whole journal at `path`: the old one or the new one.
    """
    aside = path.with_name(f"{path.name}.{time.time_ns()}.old")
    os.link(path, aside)
    new.replace(path)
    return aside


def _write(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Kept):
        return {"outputs": outcome.outputs}
    if isinstance(outcome, Dropped):
        dropped = {"reason": outcome.reason, "detail": outcome.detail}
        return {"dropped": {**dropped, "record": outcome.record} if outcome.record else dropped}
    failed = {"reason": outcome.reason, "error": outcome.error, "retryable": outcome.retryable}
    return {"failed": failed}


def _read(line: dict[str, Any]) -> Entry:
    outcome: Outcome
    if "outputs" in line:
        outcome = Kept(tuple(line["outputs"]))
    elif "dropped" in line:
        outcome = Dropped(**line["dropped"])
    else:
        outcome = Failed(**line["failed"])
    return Entry(line["key"], outcome, line["meta"])
