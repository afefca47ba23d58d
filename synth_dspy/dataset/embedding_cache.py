"""Embeddings kept on disk, so that none is asked twice and a resumed run sees the same ones.

Texts enter, vectors leave, from the file or freshly embedded and written before they are used.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import numpy as np

from synth_dspy.errors import StoreError
from synth_dspy.records import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synth_dspy.dataset.embedding import Embed, Vectors

_AT_ONCE = 64


class CachedEmbed:
    """`embed` of one model, through a file; what it holds depends on the model and texts only."""

    def __init__(self, embed: Embed, model: str, path: Path) -> None:
        self._embed, self._model, self._path = embed, model, path

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """`(len(texts), dimensions) float32`.

        Raises:
            StoreError: the file cannot be opened or written.
        """
        keys = [digest(self._model, text) for text in texts]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path)
            try:
                return self._through(connection, keys, texts)
            finally:
                connection.close()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"The embeddings in {self._path} cannot be used: {error}. Remove the file, and "
                "they are asked again."
            ) from error

    def _through(
        self, connection: sqlite3.Connection, keys: Sequence[str], texts: Sequence[str]
    ) -> Vectors:
        connection.execute("create table if not exists vectors (key text primary key, data blob)")
        known: dict[str, Vectors] = {}
        for key in keys:
            row = connection.execute("select data from vectors where key = ?", (key,)).fetchone()
            if row is not None:
                known[key] = np.frombuffer(row[0], dtype="<f4").astype(np.float32)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        todo = list(missing.items())
        for start in range(0, len(todo), _AT_ONCE):
            part = todo[start : start + _AT_ONCE]
            made = self._embed([text for _, text in part])
            rows = [
                (key, row.astype("<f4").tobytes()) for (key, _), row in zip(part, made, strict=True)
            ]
            with connection:
                connection.executemany("insert or replace into vectors values (?, ?)", rows)
            known.update({key: row for (key, _), row in zip(part, made, strict=True)})
        return np.stack([known[key] for key in keys])
