"""Content in DuckDB, in this process: a file that `content load` made, or a folder of records.

A path enters, samples leave. A folder's JSONL or Parquet is read into memory once, when it is
opened; a file is opened read-only, so that several processes may share it.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synth_dspy.errors import BackendError, BackendSlowError
from synth_dspy.sources.backends.contract import MODALITIES, Content, SampleOrder
from synth_dspy.sources.backends.duckdb_sql import COLUMNS, SAMPLING, TABLES

_REQUIRED = ("id", "modality", "title")
_READERS = {".jsonl": "read_json(?, format = 'newline_delimited')", ".parquet": "read_parquet(?)"}


class DuckDBContent:
    """A content backend on DuckDB.

    Args:
        path: a `.duckdb` file, or a folder with `*.jsonl` or `*.parquet`.
        timeout_s: a query that takes longer is interrupted.
        described: what it holds, in words; its path, unless it is the shipped content.

    Raises:
        BackendError: nothing is there, or it does not hold content.
    """

    name = "duckdb"
    fixed = True

    def __init__(self, path: Path, *, timeout_s: float = 10.0, described: str = "") -> None:
        self.described = described or str(path)
        self._timeout_s = timeout_s
        self._connection = _opened_folder(path) if path.is_dir() else _opened_file(path)
        self._version = self._version_of_content()
        # A frozen module is never torn down, and DuckDB's binding lists itself as leaked at exit.
        atexit.register(gc.unfreeze)

    def sample(self, order: SampleOrder) -> list[Content]:
        """Records by a strategy. Raises as the protocol says."""
        values: dict[str, Any] = {
            "tenant": order.tenant, "size": order.size, "ticket": _ticket(order.seed),
        }  # fmt: skip
        if order.strategy == "temporal_recent":
            values["days"] = order.recency_days
        with self._cursor() as cursor:
            return [
                Content(
                    id=id_, modality=modality, title=title or "", description=description or "",
                    transcript=transcript or "",
                    created_at=created_at.isoformat() if created_at else "",
                    entities=tuple(entities), group=group,
                )
                for id_, modality, title, description, transcript, created_at, entities, group
                in cursor.execute(SAMPLING[order.strategy], values).fetchall()
            ]  # fmt: skip

    def version(self) -> str:
        """A hash of every record; of the moment when it was opened, since it is read-only."""
        return self._version

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _version_of_content(self) -> str:
        with self._cursor() as cursor:
            row = cursor.execute(
                "SELECT count(*), bit_xor(md5_number_lower(concat_ws('|', id, tenant, modality, "
                "title, description, transcript, created_at, entities, cluster))) FROM content"
            ).fetchone()
        return f"{row[0]}-{row[1] or 0:x}"

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """A cursor of the calling thread's own, interrupted when its time is up."""
        import duckdb

        cursor = self._connection.cursor()
        timer = threading.Timer(self._timeout_s, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield cursor
        except duckdb.InterruptException as error:
            raise BackendSlowError(
                f"DuckDB ({self.described}) did not answer within {self._timeout_s:g} s; sample "
                "less, or raise routing.backend.timeout."
            ) from error
        except duckdb.Error as error:
            raise BackendError(
                f"DuckDB ({self.described}) does not answer: {_first_line(error)} Make the file "
                "again with `content load`."
            ) from error
        finally:
            timer.cancel()
            cursor.close()


def write_content(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write records (keys as `COLUMNS`) to a new DuckDB file; how many.

    It is written beside `path` and takes its place at the end.

    Raises:
        BackendError: it cannot be written, or a record has no id, modality or title.
    """
    import duckdb
    import pyarrow

    rows = [{name: record.get(name) for name in COLUMNS} for record in records]
    given = pyarrow.Table.from_pylist(
        rows,
        schema=pyarrow.schema(
            [(name, _arrow(pyarrow, kind)) for name, kind in COLUMNS.items()]
        ),
    )  # fmt: skip
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        connection = duckdb.connect(str(part))
        try:
            connection.register("arrived", given)
            _make_tables(connection, "SELECT * FROM arrived", str(path))
        finally:
            connection.close()
        part.replace(path)
    except (OSError, duckdb.Error) as error:
        raise BackendError(
            f"{path} cannot be written: {_first_line(error)} Name another file with --output."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return len(rows)


def _arrow(pyarrow: Any, kind: str) -> Any:
    kinds = {
        "VARCHAR": pyarrow.string(),
        "TIMESTAMP": pyarrow.timestamp("us"),
        "INTEGER": pyarrow.int32(),
        "VARCHAR[]": pyarrow.list_(pyarrow.string()),
        "FLOAT[]": pyarrow.list_(pyarrow.float32()),
    }
    return kinds[kind]


def _opened_file(path: Path) -> Any:
    import duckdb

    if not path.exists():
        raise BackendError(
            f"There is no content at {path}. Make it from documents with `python -m synth_dspy.run "
            f"content load --output {path}`, or leave routing.backend.path out for the shipped "
            "content."
        )
    try:
        connection = duckdb.connect(str(path), read_only=True)
        connection.execute("SELECT id, lot FROM content LIMIT 1")
    except duckdb.Error as error:
        raise BackendError(
            f"{path} is not a content file: {_first_line(error)} Make one with `content load`, or "
            "name a folder with JSONL or Parquet files."
        ) from error
    return connection


def _opened_folder(path: Path) -> Any:
    import duckdb

    found = {suffix: sorted(map(str, path.glob(f"*{suffix}"))) for suffix in _READERS}
    suffix = next((suffix for suffix, files in found.items() if files), None)
    if suffix is None:
        raise BackendError(
            f"{path} holds no *.jsonl and no *.parquet; put records there, one a line, with the "
            f"fields {', '.join(COLUMNS)}."
        )
    connection = duckdb.connect()
    try:
        connection.execute(
            f"CREATE TEMP TABLE arrived AS SELECT * FROM {_READERS[suffix]}", [found[suffix]]
        )
        _make_tables(connection, "SELECT * FROM arrived", str(path))
        connection.execute("DROP TABLE arrived")
    except duckdb.Error as error:
        raise BackendError(f"{path} cannot be read as content: {_first_line(error)}") from error
    return connection


def _make_tables(connection: Any, query: str, where: str) -> None:
    """The tables that strategies read, from a query whose columns may be fewer than `COLUMNS`."""
    present = {row[0] for row in connection.execute(f"DESCRIBE {query}").fetchall()}
    missing = [name for name in _REQUIRED if name not in present]
    if missing:
        raise BackendError(
            f"{where}: the records have no {', '.join(missing)}; each needs {', '.join(_REQUIRED)}."
        )
    chosen = ", ".join(
        f"{name}::{kind} AS {name}" if name in present else f"NULL::{kind} AS {name}"
        for name, kind in COLUMNS.items()
    )
    connection.execute(f"CREATE TEMP VIEW given AS SELECT {chosen} FROM ({query})")
    _refuse_wrong_records(connection, where)
    connection.execute(TABLES)
    connection.execute("DROP VIEW given")


def _refuse_wrong_records(connection: Any, where: str) -> None:
    odd = connection.execute(
        "SELECT id, modality FROM given WHERE coalesce(id, '') = '' OR coalesce(title, '') = '' "
        "OR modality IS NULL OR upper(modality) NOT IN (SELECT unnest(?)) LIMIT 1",
        [list(MODALITIES)],
    ).fetchone()
    if odd:
        raise BackendError(
            f"{where}: the record {odd[0]!r} has no id, no title, or the modality {odd[1]!r}, "
            f"which is none of {', '.join(MODALITIES)}."
        )
    twice = connection.execute("SELECT id FROM given GROUP BY id HAVING count(*) > 1").fetchone()
    if twice:
        raise BackendError(f"{where}: two records have the id {twice[0]!r}; make them differ.")


def _ticket(seed: int) -> int:
    """64 bits that stand for a seed."""
    return int.from_bytes(hashlib.blake2b(str(seed).encode(), digest_size=8).digest())


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") + "."
