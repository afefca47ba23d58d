"""A dataset on disk: Arrow that `datasets.load_from_disk` opens, Parquet, JSON lines, and the card.

Samples with their splits enter, the folder `final` leaves, whole or not at all. It knows the
columns, not how samples were made.

    data/<split>-00000-of-00001.parquet   the rows, images inside
    <split>/                              the same as Arrow
    jsonl/<split>.jsonl                   the same as JSON lines, images as paths below `final`
    chat/<format>/<split>.jsonl           as conversations, where they were asked for
    images/<sha256>.png                   the images that JSON lines name
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from synth_dspy.dataset.chat import ChatFormat, chat_row
from synth_dspy.dataset.dedup import by_rank
from synth_dspy.dataset.pictures import MAX_SIDE, png_bytes
from synth_dspy.dataset.split import SPLITS
from synth_dspy.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from synth_dspy.records import Sample

COLUMNS = (
    "question",
    "answer",
    "category",
    "type",
    "difficulty",
    "test_code",
    "entry_point",
    "image",
    "has_image",
    "code_context",
    "source",
    "metadata",
)
_BATCH = 2_048
_BATCH_IMAGE_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was written.

    Attributes:
        rows: by split, in the order train, validation, test; a split without rows is not written.
        images: rows that hold an image.
        bytes: of the Parquet files.
        sha256: by split, of the Parquet file.
    """

    path: str
    rows: dict[str, int]
    images: int
    bytes: int
    sha256: dict[str, str]


def export_dataset(
    samples: Sequence[Sample],
    *,
    run_dir: Path,
    final: Path,
    card: str,
    max_image_side: int = MAX_SIDE,
    chat_formats: Sequence[ChatFormat] = (),
) -> ExportSummary:
    """Write `samples` to the folder `final`, in place of what was there.

    Rows are ordered by rank, so equal samples give equal Parquet bytes whatever their order. All is
    written to a folder beside `final` and renamed at the end: an interrupted export leaves the
    earlier dataset as it was. Memory is bounded by a batch of rows, not by the dataset.

    Args:
        run_dir: what `Sample.image` is relative to.
        card: the text of `README.md`.
        max_image_side: longest side of an embedded image, in pixels; larger ones are scaled down.
        chat_formats: forms in which the rows are written as conversations, too.

    Raises:
        StoreError: a sample has no split, its image cannot be read, or the disk is full.
    """
    by_split = _by_split(samples)
    part = final.with_name(f".{final.name}.part")
    try:
        _remove(part)
        (part / "data").mkdir(parents=True)
        images = _Images(run_dir, part, max_image_side)
        with_images = any(sample.image for sample in samples)
        for split, rows in by_split.items():
            with _Lines(part, split, chat_formats, with_images=with_images) as lines:
                _write_split(rows, split, images=images, lines=lines, part=part)
        _save_arrow(part, list(by_split))
        (part / "README.md").write_text(card, encoding="utf-8")
        summary = _summary(by_split, part, final)
        _replace(part, final)
    except OSError as error:
        raise StoreError(
            f"The dataset cannot be written to {final}: {error}. "
            "Nothing was changed there; free the space or mend the permissions and export again."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return summary


def _by_split(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {split: [] for split in SPLITS}
    for sample in by_rank(samples):
        if sample.split not in found:
            raise StoreError(
                f"Sample {sample.id} has the split {sample.split!r}; it must be one of "
                f"{', '.join(SPLITS)}. Run build again."
            )
        found[sample.split].append(sample)
    return {split: rows for split, rows in found.items() if rows}


class _Images:
    """The exported images: each is encoded once, and kept as a file that rows are filled from."""

    def __init__(self, run_dir: Path, part: Path, max_side: int) -> None:
        self._run_dir, self._part, self._max_side = run_dir, part, max_side
        self._names: dict[str, str] = {}

    def path(self, source: str) -> str:
        """Where the image is below `final`; "" for none."""
        if not source:
            return ""
        if source not in self._names:
            data = png_bytes(self._run_dir, source, max_side=self._max_side)
            name = f"images/{hashlib.sha256(data).hexdigest()}.png"
            (self._part / "images").mkdir(exist_ok=True)
            (self._part / name).write_bytes(data)
            self._names[source] = name
        return self._names[source]

    def embedded(self, source: str) -> dict[str, Any] | None:
        """What the `image` column holds."""
        if not source:
            return None
        return {"bytes": (self._part / self.path(source)).read_bytes(), "path": None}


class _Lines:
    """The files of JSON lines of one split."""

    def __init__(
        self, part: Path, split: str, formats: Sequence[ChatFormat], *, with_images: bool
    ) -> None:
        self._formats, self._with_images = formats, with_images
        folders = ["jsonl", *(f"chat/{form}" for form in formats)]
        self._files: list[BinaryIO] = []
        for folder in folders:
            (part / folder).mkdir(parents=True, exist_ok=True)
            self._files.append((part / folder / f"{split}.jsonl").open("wb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for file in self._files:
            file.close()

    def write(self, sample: Sample, row: dict[str, Any], image: str) -> None:
        """One row; `image` is its path below `final`."""
        plain = {**row, "image": image or None, "metadata": sample.metadata}
        chats = (
            chat_row(sample, form, image=image, with_images=self._with_images)
            for form in self._formats
        )
        for file, line in zip(self._files, (plain, *chats), strict=True):
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS))


def _write_split(
    rows: Sequence[Sample], split: str, *, images: _Images, lines: _Lines, part: Path
) -> None:
    """One pass over the rows: the same batches go to Parquet, to an Arrow stream and to lines."""
    import pyarrow
    from pyarrow import parquet

    schema = _features().arrow_schema
    with (
        parquet.ParquetWriter(_parquet(part, split), schema, compression="zstd") as columns,
        pyarrow.ipc.new_stream(part / f"{split}.stream", schema) as arrow,
    ):
        for batch in _batches(rows, images, lines):
            content = {name: [row[name] for row in batch] for name in COLUMNS}
            table = pyarrow.Table.from_pydict(content, schema=schema)
            columns.write_table(table)
            arrow.write_table(table)


def _batches(
    rows: Sequence[Sample], images: _Images, lines: _Lines
) -> Iterator[list[dict[str, Any]]]:
    """Rows for one write: so many, or so many bytes of images."""
    batch: list[dict[str, Any]] = []
    held = 0
    for sample in rows:
        row = _row(sample)
        lines.write(sample, row, images.path(sample.image))
        row["image"] = images.embedded(sample.image)
        held += len(row["image"]["bytes"]) if row["image"] else 0
        batch.append(row)
        if len(batch) == _BATCH or held >= _BATCH_IMAGE_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _row(sample: Sample) -> dict[str, Any]:
    row = {name: getattr(sample, name) for name in COLUMNS}
    row["metadata"] = orjson.dumps(sample.metadata, option=orjson.OPT_SORT_KEYS).decode()
    return row


def _features() -> Any:
    from datasets import Features, Image, Value

    kinds = {"image": Image(), "has_image": Value("bool")}
    return Features({name: kinds.get(name, Value("string")) for name in COLUMNS})


def _save_arrow(part: Path, splits: Sequence[str]) -> None:
    """The `DatasetDict` that `load_from_disk` opens, from the streams, which are removed."""
    import datasets
    from datasets import Dataset, DatasetDict, DatasetInfo, NamedSplit

    was_shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        opened = {}
        for split in splits:
            loaded = Dataset.from_file(str(part / f"{split}.stream"))
            opened[split] = Dataset(
                loaded.data,
                info=DatasetInfo(features=_features()),
                split=NamedSplit(split),
                fingerprint=_sha256(_parquet(part, split))[:16],
            )
        DatasetDict(opened).save_to_disk(str(part))
    finally:
        if was_shown:
            datasets.enable_progress_bars()
    opened.clear()
    for split in splits:
        (part / f"{split}.stream").unlink()


def _summary(by_split: dict[str, list[Sample]], part: Path, final: Path) -> ExportSummary:
    return ExportSummary(
        path=str(final),
        rows={split: len(rows) for split, rows in by_split.items()},
        images=sum(bool(sample.image) for rows in by_split.values() for sample in rows),
        bytes=sum(_parquet(part, split).stat().st_size for split in by_split),
        sha256={split: _sha256(_parquet(part, split)) for split in by_split},
    )


def _replace(part: Path, final: Path) -> None:
    """Put `part` in the place of `final`, after its files have reached the disk."""
    for path in sorted(part.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    old = final.with_name(f".{final.name}.old")
    _remove(old)
    if final.exists():
        final.rename(old)
    part.rename(final)
    _remove(old)


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _parquet(part: Path, split: str) -> Path:
    return part / "data" / f"{split}-00000-of-00001.parquet"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
