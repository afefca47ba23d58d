"""Every reply that was paid for, in one SQLite file: a kill repeats only the calls in flight.

A key (hash of endpoint, model, body as sent, sample index, parse attempt) enters, a reply leaves.
A reply is committed before it is used. The file holds no prompt, no key and no header; several
processes may share it.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from synth_dspy.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL
);
INSERT OR IGNORE INTO spent VALUES (1, 0, 0, 0, 0.0);
CREATE TRIGGER IF NOT EXISTS count_reply AFTER INSERT ON replies BEGIN
    UPDATE spent SET calls = calls + 1,
        input_tokens = input_tokens + new.input_tokens,
        output_tokens = output_tokens + new.output_tokens,
        cost_usd = cost_usd + new.cost_usd;
END;
"""
_COLUMNS = "text, finish_reason, input_tokens, output_tokens, cost_usd"
_BUSY_S = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as it was paid for.

    Attributes:
        finish_reason: stop, length, content_filter, tool_call or error.
        cost_usd: 0 when the price is not known.
    """

    text: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    cost_usd: float


class Totals(NamedTuple):
    """What all replies of the file cost together."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


def reply_key(endpoint: str, model: str, body: bytes, *, sample: int, attempt: int) -> bytes:
    """16 bytes that name a reply; equal only when everything that shaped the reply is equal."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in (endpoint.encode(), model.encode(), b"%d" % sample, b"%d" % attempt, body):
        hasher.update(b"%d:" % len(part))
        hasher.update(part)
    return hasher.digest()


class ReplyStore:
    """`replies.sqlite`.

    Args:
        path: the file; its folder is made.

    Raises:
        StoreError: the file cannot be opened, is no SQLite file, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # isolation_level None: every statement commits by itself, unless BEGIN says otherwise.
            db = sqlite3.connect(
                self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The reply store {str(self.path)!r} cannot be opened: {error}. "
                "If the file is damaged, move it away; its replies will be asked again."
            ) from error
        return db

    def get(self, key: bytes) -> Reply | None:
        """The reply stored under `key`, or None."""
        with self._lock, self._guard():
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return Reply(*row) if row else None

    def put(self, key: bytes, reply: Reply, *, endpoint: str, model: str) -> Reply:
        """Commit a reply, then hand back the one to use.

        When another task or process stored a reply under the same key first, that one is handed
        back, so that a replay gives what was used. Both were paid, so both count in `totals`.

        Raises:
            StoreError: the disk is full, or another process held the file for too long.
        """
        values = (
            reply.text, reply.finish_reason, reply.input_tokens, reply.output_tokens,
            reply.cost_usd,
        )  # fmt: skip
        with self._lock, self._guard():
            # One statement, so one commit; the trigger counts.
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (key, endpoint, model, *values, time.time()),
            )
            if cursor.rowcount:
                return reply
            self._db.execute(
                "UPDATE spent SET calls = calls + 1, input_tokens = input_tokens + ?, "
                "output_tokens = output_tokens + ?, cost_usd = cost_usd + ?",
                values[2:],
            )
            row = self._db.execute(
                f"SELECT {_COLUMNS} FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return Reply(*row)

    def totals(self) -> Totals:
        """What was paid since the file was made, by every run and process that used it."""
        with self._lock, self._guard():
            row = self._db.execute(
                "SELECT calls, input_tokens, output_tokens, cost_usd FROM spent"
            ).fetchone()
        return Totals(*row)

    def rotate(self) -> Path:
        """Put the file aside as `<name>.<n>` and go on with an empty one; returns the old one's
        path. No other process may be using the file."""
        with self._lock, self._guard():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.close()
            number = 1
            while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
                number += 1
            self.path.rename(aside)
            self._db = self._open()
        return aside

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The reply store {str(self.path)!r} failed: {error}. "
                "Check the disk's space and that no other program holds the file."
            ) from error
