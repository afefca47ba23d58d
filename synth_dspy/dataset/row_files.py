"""The files that users of rows take away: JSONL, CSV and Parquet with the same rows.

Rows enter one at a time, files leave. A file that is written live is the same, byte for byte, as
one that is written at the end, whatever kills came between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from synth_dspy.dataset.row_columns import as_stored, csv_line
from synth_dspy.errors import StoreError

if TYPE_CHECKING:
    import pyarrow

_BATCH = 10_000


class LiveFile:
    """A file that is written a record at a time, and begun again from its start by each run.

    What stands there already is compared, not written again; from the first difference on, and at
    `close` after the last record, it is cut. So a run that was killed leaves whole records and at
    most one torn one, and the next run makes it exact.
    """

    def __init__(self, path: Path) -> None:
        """Raises:
        StoreError: it cannot be opened for writing.
        """
        self.path = path
        self._same = True
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("r+b" if path.exists() else "x+b")
        except OSError as error:
            raise _cannot(path, error) from error

    def append(self, record: bytes) -> None:
        """Write the next record; whoever reads the file sees it at once.

        Raises:
            StoreError: the disk is full.
        """
        try:
            if self._same:
                start = self._file.tell()
                if self._file.read(len(record)) == record:
                    return
                self._same = False
                self._file.seek(start)
                self._file.truncate()
            self._file.write(record)
            self._file.flush()
        except OSError as error:
            raise _cannot(self.path, error) from error

    def close(self, *, whole: bool = True) -> None:
        """Close; `whole` says that no record follows, so that what stands behind is cut off."""
        try:
            if whole:
                self._file.truncate(self._file.tell())
            self._file.close()
        except OSError as error:
            raise _cannot(self.path, error) from error


class RowSink:
    """One text form of rows: a line a row.

    Args:
        form: jsonl or csv.
    """

    def __init__(self, path: Path, form: str, schema: pyarrow.Schema) -> None:
        self._file, self._form, self._schema = LiveFile(path), form, schema
        if form == "csv":
            self._file.append(csv_line(schema.names))

    def add(self, row: dict[str, Any]) -> None:
        """Write a row."""
        stored = as_stored(row, self._schema)
        if self._form == "csv":
            self._file.append(csv_line(list(stored.values())))
        else:
            self._file.append(orjson.dumps(stored, option=orjson.OPT_APPEND_NEWLINE))

    def close(self, *, whole: bool = True) -> None:
        """As `LiveFile.close`."""
        self._file.close(whole=whole)


def write_file(path: Path, form: str, rows: Iterable[dict[str, Any]], schema: Any) -> None:
    """Write rows as `form`: jsonl, csv or parquet. Memory is bounded by a batch.

    Raises:
        StoreError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    if form == "parquet":
        _write_parquet(part, rows, schema)
    else:
        sink = RowSink(part, form, schema)
        try:
            for row in rows:
                sink.add(row)
        finally:
            sink.close()
    try:
        part.replace(path)
    except OSError as error:
        raise _cannot(path, error) from error


def _write_parquet(path: Path, rows: Iterable[dict[str, Any]], schema: Any) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in batches(rows):
                stored = [as_stored(row, schema) for row in batch]
                writer.write_table(pyarrow.Table.from_pylist(stored, schema=schema))
    except OSError as error:
        raise _cannot(path, error) from error


def batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in lists of at most ten thousand."""
    source = iter(rows)
    while batch := list(islice(source, _BATCH)):
        yield batch


def _cannot(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror}. Give another place with --output_prefix, or "
        "make room."
    )
