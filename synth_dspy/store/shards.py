"""Shards of a journal: what other processes finished of a stage, before it is merged by key.

Every worker appends to a file of its own beside the journal (`journal.worker-<name>.jsonl`), which
it holds locked. Whoever opens the journal first takes up what shards hold, so nothing finished is
lost with the process that was to merge it. Journals enter and leave; nothing here starts workers.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from synth_dspy.errors import StoreError
from synth_dspy.store.journal import Journal, Syncer

_PATIENCE_S = 30.0
_POLL_S = 0.05
_BLOCK_BYTES = 1 << 22


class Shard:
    """One worker's own journal of one stage, locked until `close`.

    A worker that takes the place of one that was killed opens the same file and finds there what
    that one had finished.

    Raises:
        StoreError: the file cannot be opened, or another process does not let go of it.
    """

    def __init__(self, journal: Path, worker: str) -> None:
        self.path = journal.with_name(f"{journal.stem}.worker-{worker}.jsonl")
        self._file = _locked(self.path)
        self.journal = Journal(self.path)
        self._syncer = Syncer()
        self._syncer.watch(self.journal)

    def close(self) -> None:
        """Sync, close and let others merge it."""
        self._syncer.close()
        self._file.close()


def shards_of(journal: Path) -> list[Path]:
    """The shards that lie beside a journal."""
    return sorted(journal.parent.glob(f"{journal.stem}.worker-*.jsonl"))


def gather(path: Path) -> None:
    """Take up the shards beside a journal that nobody has open; nothing without shards."""
    if shards_of(path):
        journal = Journal(path)
        try:
            absorb(journal)
        finally:
            journal.close()


def discard(path: Path) -> None:
    """Delete the shards beside a journal that is not wanted any more."""
    for shard in shards_of(path):
        file = _locked(shard)
        shard.unlink()
        file.close()


def absorb(journal: Journal) -> None:
    """Append every whole line of the shards, make it durable, and only then delete them.

    Ended in between, it is done again: a line that stands twice is one entry.

    Raises:
        StoreError: a worker still writes to a shard, or the disk is full.
    """
    for path in shards_of(journal.path):
        file = _locked(path)
        try:
            rest = b""
            while block := file.read(_BLOCK_BYTES):
                whole, newline, rest = (rest + block).rpartition(b"\n")
                if newline:
                    journal.extend(whole + newline)
            journal.sync()
            path.unlink()
        finally:
            file.close()


def _locked(path: Path) -> IO[bytes]:
    """The file, held by this process alone; made if there is none."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+b")
        except OSError as error:
            raise StoreError(f"The journal {path} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_nlink:
                file.seek(0)
                return file
            # It was merged and deleted while we waited: lines written to it would be lost.
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                file.close()
                raise StoreError(
                    f"{path} is still being written by a worker of another run. Wait for it to "
                    "end, or end its process, and run again."
                ) from error
            time.sleep(_POLL_S)
        file.close()
