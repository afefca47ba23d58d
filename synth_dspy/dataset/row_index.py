"""Which rows have been seen: exact and near repeats among a million rows, in bounded memory.

A row's texts enter; whether they repeat an earlier row's leaves. What is known lies in a temporary
database that spills to disk and vanishes with the process: it is made again from the journals.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from synth_dspy.dataset.minhash import (
    ERRORS,
    HASHES,
    band_keys,
    grams,
    jaccard,
    normal_text,
    rows_for,
    signature,
)

if TYPE_CHECKING:
    from synth_dspy.dataset.minhash import Signature

_CACHE_KIB = 64 * 1024
_SEPARATOR = "\x1f"

Repeat = Literal["duplicate", "near_duplicate"]


class RowIndex:
    """Finds repeats.

    Two rows are near-duplicates when they are of one cell and each text of the one is alike to the
    same text of the other: true Jaccard of character 5-grams at or above the threshold. Rows that
    share a premise, or differ in a word that changes their label, are not.
    """

    def __init__(self, threshold: float) -> None:
        """A threshold of 1 leaves exact repeats alone to be found.

        Raises:
            ValueError: `threshold` is not above 0 and at most 1.
        """
        self.threshold = threshold
        self._rows = rows_for(threshold)
        self._known = sqlite3.connect("", isolation_level=None)
        self._known.executescript(
            f"""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE_KIB};
            CREATE TABLE exact (hash BLOB PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE texts (id INTEGER PRIMARY KEY, signature BLOB, texts TEXT);
            CREATE TABLE bands (key INTEGER, id INTEGER, PRIMARY KEY (key, id)) WITHOUT ROWID;
            BEGIN;
            """
        )

    def close(self) -> None:
        """Forget everything."""
        self._known.close()

    def repeat_of(self, texts: Sequence[str], cell: str = "") -> Repeat | None:
        """How `texts` repeat what was added, or None. Adds nothing."""
        normal = [normal_text(text) for text in texts]
        seen = self._known.execute("SELECT 1 FROM exact WHERE hash = ?", (_hash(normal),))
        if seen.fetchone() is not None:
            return "duplicate"
        if self.threshold < 1 and self._is_near(normal, cell):
            return "near_duplicate"
        return None

    def add(self, texts: Sequence[str], cell: str = "") -> None:
        """Make a row known."""
        normal = [normal_text(text) for text in texts]
        self._known.execute("INSERT OR IGNORE INTO exact VALUES (?)", (_hash(normal),))
        if self.threshold == 1:
            return
        own = signature(grams(_SEPARATOR.join(normal)))
        added = self._known.execute(
            "INSERT INTO texts (signature, texts) VALUES (?, ?)",
            (own.tobytes(), _SEPARATOR.join(normal)),
        )
        self._known.executemany(
            "INSERT OR IGNORE INTO bands VALUES (?, ?)",
            [(key, added.lastrowid) for key in self._bands(own, cell)],
        )

    def _is_near(self, normal: list[str], cell: str) -> bool:
        own = grams(_SEPARATOR.join(normal))
        mine = signature(own)
        keys = self._bands(mine, cell)
        marks = ",".join("?" * len(keys))
        found = self._known.execute(
            f"SELECT signature, texts FROM texts WHERE id IN "
            f"(SELECT id FROM bands WHERE key IN ({marks}))",
            keys,
        )
        spread = (self.threshold * (1 - self.threshold) / min(HASHES, len(own))) ** 0.5
        for theirs, texts in found:
            agreement = (np.frombuffer(theirs, np.uint32) == mine).mean()
            if agreement >= self.threshold - ERRORS * spread and self._is_alike(
                normal, texts.split(_SEPARATOR)
            ):
                return True
        return False

    def _is_alike(self, texts: list[str], others: list[str]) -> bool:
        return len(texts) == len(others) and all(
            a == b or jaccard(grams(a), grams(b)) >= self.threshold
            for a, b in zip(texts, others, strict=True)
        )

    def _bands(self, of: Signature, cell: str) -> list[int]:
        salt = cell.encode()
        return [
            int.from_bytes(
                hashlib.blake2b(key, digest_size=8, key=salt[:64]).digest(), "big", signed=True
            )
            for key in band_keys(of, self._rows)
        ]


def _hash(normal: Sequence[str]) -> bytes:
    return hashlib.blake2b(_SEPARATOR.join(normal).encode(), digest_size=16).digest()
