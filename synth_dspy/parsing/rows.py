"""CSV, JSON lines and Parquet: a block a row, in which every value stands with its name.

A row of one value is that value alone. What is no text (bytes, and columns that are empty) is
left out. Knows nothing of what the columns mean.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.encoding import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

MAX_ROWS = 1_000_000
BATCH_ROWS = 1024


def parse_csv(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A CSV file; its first row names the columns, its delimiter is found out.

    Raises:
        DocumentError: `encoding`, `too_many_rows`.
    """
    text = decode_text(data).replace("\x00", "")
    tabs = file.path.lower().endswith(".tsv")
    # Python's own limit, 131,072 characters a field, is below what a document's column may hold.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter="\t" if tabs else _delimiter(text), restkey="more"
    )
    return _document(reader, DocumentBuilder(file, images, options))


def parse_jsonl(
    data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions
) -> Document:
    """A file of JSON values, one a line; empty lines are passed over.

    Raises:
        DocumentError: `encoding`, `invalid_json` (with the line), `too_many_rows`.
    """

    def rows() -> Iterable[Mapping[str, Any]]:
        for number, line in enumerate(decode_text(data).split("\n"), 1):
            if not line.strip():
                continue
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise DocumentError("invalid_json", f"line {number}: {error}") from error
            yield value if isinstance(value, dict) else {"value": value}

    return _document(rows(), DocumentBuilder(file, images, options))


def parse_parquet(
    data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions
) -> Document:
    """A Parquet file.

    Raises:
        DocumentError: `invalid_parquet`, `too_many_rows`.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
        rows = (
            row for batch in table.iter_batches(batch_size=BATCH_ROWS) for row in batch.to_pylist()
        )
        return _document(rows, DocumentBuilder(file, images, options))
    except (pyarrow.ArrowException, OSError) as error:
        raise DocumentError("invalid_parquet", str(error)) from error


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t|", key=lambda mark: (first.count(mark), mark == ","))


def _document(rows: Iterable[Mapping[str, Any]], builder: DocumentBuilder) -> Document:
    count = 0
    for row in rows:
        count += 1
        if count > MAX_ROWS:
            raise DocumentError("too_many_rows", f"{builder.file.path} has over {MAX_ROWS} rows")
        said = {str(name): text for name, value in row.items() if (text := _said(value))}
        if len(said) == 1:
            builder.add("text", clean(next(iter(said.values()))))
        else:
            builder.add("text", clean("\n".join(f"{k}: {v}" for k, v in said.items())))
    return builder.finish(stats={"rows": count})


def _said(value: object) -> str:
    """A value as text; "" for what is none."""
    if value is None or isinstance(value, bytes):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (bool, int, float, Decimal, date, datetime, time)):
        return str(value)
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
