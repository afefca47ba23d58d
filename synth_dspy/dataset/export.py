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
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from synth_dspy.dataset.chat import ChatFormat, chat_row
from synth_dspy.dataset.dedup import by_rank
from synth_dspy.dataset.folder import replacing
from synth_dspy.dataset.pictures import MAX_SIDE, png_bytes
from synth_dspy.dataset.split import SPLITS
from synth_dspy.dataset.tables import parquet_path, write_tables
from synth_dspy.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from synth_dspy.dataset.tables import Columns
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
_FIELDS = attrgetter(*COLUMNS)
_BATCH = 2_048
_BATCH_IMAGE_BYTES = 32 << 20
_BUFFER = 1 << 20
_LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS


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
    with_images = any(sample.image for sample in samples)
    with replacing(final) as part:
        images = _Images(run_dir, part, max_image_side)
        sums = write_tables(
            part,
            features(),
            {
                split: _batches(rows, images, _Lines(part, split, chat_formats, with_images))
                for split, rows in by_split.items()
            },
        )
        (part / "README.md").write_text(card, encoding="utf-8")
        return _summary(by_split, part, final, sums)


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
        self, part: Path, split: str, formats: Sequence[ChatFormat], with_images: bool
    ) -> None:
        self._formats, self._with_images = formats, with_images
        folders = ("jsonl", *(f"chat/{form}" for form in formats))
        self._paths = [part / folder / f"{split}.jsonl" for folder in folders]
        self._files: list[BinaryIO] = []

    def __enter__(self) -> Self:
        for path in self._paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._files.append(path.open("wb", buffering=_BUFFER))
        return self

    def __exit__(self, *exc_info: object) -> None:
        for file in self._files:
            file.close()

    def write(self, rows: Sequence[Sample], columns: Columns, images: Sequence[str]) -> None:
        """A batch of rows; `images` are their paths below `final`, "" for none."""
        plain, *chats = self._files
        plain.writelines(_lines(columns, images))
        for form, file in zip(self._formats, chats, strict=True):
            said = (
                chat_row(sample, form, image=image, with_images=self._with_images)
                for sample, image in zip(rows, images, strict=True)
            )
            file.writelines(orjson.dumps(row, option=_LINE) for row in said)


def _lines(columns: Columns, images: Sequence[str]) -> Iterator[bytes]:
    named = {**columns, "image": [image or None for image in images]}
    # What is JSON already is written as it is.
    named["metadata"] = [orjson.Fragment(text) for text in columns["metadata"]]
    names = sorted(named)
    for row in zip(*(named[name] for name in names), strict=True):
        yield orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)


def _batches(rows: Sequence[Sample], images: _Images, lines: _Lines) -> Iterator[Columns]:
    """The columns of so many rows, or of so many bytes of images, written as lines on the way."""
    with lines:
        start = 0
        while start < len(rows):
            stop, held, shown = start, 0, []
            while stop < min(len(rows), start + _BATCH) and held < _BATCH_IMAGE_BYTES:
                shown.append(images.embedded(rows[stop].image))
                held += len(shown[-1]["bytes"]) if shown[-1] else 0
                stop += 1
            batch = rows[start:stop]
            columns = _columns(batch, shown)
            lines.write(batch, columns, [images.path(sample.image) for sample in batch])
            yield columns
            start = stop


def _columns(rows: Sequence[Sample], images: Sequence[dict[str, Any] | None]) -> Columns:
    columns: dict[str, Sequence[Any]] = dict(
        zip(COLUMNS, zip(*map(_FIELDS, rows), strict=True), strict=True)
    )
    columns["metadata"] = [
        orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS).decode()
        for metadata in columns["metadata"]
    ]
    columns["image"] = images
    return columns


def features() -> Any:
    """The columns' types, as `datasets` names them."""
    from datasets import Features, Image, Value

    kinds = {"image": Image(), "has_image": Value("bool")}
    return Features({name: kinds.get(name, Value("string")) for name in COLUMNS})


def _summary(
    by_split: dict[str, list[Sample]], part: Path, final: Path, sums: dict[str, str]
) -> ExportSummary:
    return ExportSummary(
        path=str(final),
        rows={split: len(rows) for split, rows in by_split.items()},
        images=sum(bool(sample.image) for rows in by_split.values() for sample in rows),
        bytes=sum(parquet_path(part, split).stat().st_size for split in by_split),
        sha256=sums,
    )
