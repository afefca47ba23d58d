"""Rows on disk in both forms of a Hugging Face dataset: Parquet, and Arrow for `load_from_disk`.

Batches of columns enter, split by split, in one pass; a folder leaves. It knows no records: every
recipe writes its rows with it.

    data/<split>-00000-of-00001.parquet   the rows
    <split>/                              the same as Arrow
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    Columns = Mapping[str, Sequence[Any]]


def write_tables(
    folder: Path, features: Any, splits: Mapping[str, Iterable[Columns]]
) -> dict[str, str]:
    """Write every split as Parquet and as Arrow; by split, the SHA-256 of its Parquet file.

    Equal batches give equal Parquet bytes.

    Memory is bounded by two batches. Parquet is compressed in a thread while the next batch is
    being made.

    Args:
        folder: exists, and is empty where this writes.
        features: `datasets.Features` of the columns.
        splits: batches by split; a split has at least one row. They are taken in order, split after
            split, so that what makes them may write other files as it goes.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for split, batches in splits.items():
        _write(parquet_path(folder, split), _stream(folder, split), features, batches)
    sums = {split: _sha256(parquet_path(folder, split)) for split in splits}
    _save_dataset(folder, features, sums)
    return sums


def parquet_path(folder: Path, split: str) -> Path:
    """The Parquet file of a split."""
    return folder / "data" / f"{split}-00000-of-00001.parquet"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stream(folder: Path, split: str) -> Path:
    return folder / f"{split}.stream"


def _write(parquet: Path, stream: Path, features: Any, batches: Iterable[Columns]) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = features.arrow_schema
    compressing: Future[None] | None = None
    with (
        ParquetWriter(parquet, schema, compression="zstd") as columns,
        pyarrow.ipc.new_stream(stream, schema) as arrow,
        ThreadPoolExecutor(1) as aside,
    ):
        for batch in batches:
            table = pyarrow.Table.from_pydict(dict(batch), schema=schema)
            if compressing is not None:
                compressing.result()
            compressing = aside.submit(columns.write_table, table)
            arrow.write_table(table)
        if compressing is not None:
            compressing.result()


def _save_dataset(folder: Path, features: Any, sums: Mapping[str, str]) -> None:
    """Make the `DatasetDict` that `load_from_disk` opens.

    `datasets` itself writes it, of one empty row a split; then each stream takes the place of that
    row's file, since it is what `datasets` would copy the rows to.
    """
    import datasets
    from datasets import Dataset, DatasetDict, DatasetInfo, NamedSplit

    empty = {name: [None] for name in features}
    made = {
        split: Dataset(
            Dataset.from_dict(empty, features=features).data,
            info=DatasetInfo(features=features),
            split=NamedSplit(split),
            fingerprint=sha256[:16],
        )
        for split, sha256 in sums.items()
    }
    was_shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        DatasetDict(made).save_to_disk(str(folder))
    finally:
        if was_shown:
            datasets.enable_progress_bars()
    for split in sums:
        (shard,) = (folder / split).glob("*.arrow")
        _stream(folder, split).replace(shard)
