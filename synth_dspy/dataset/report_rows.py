"""Which samples a report lets people browse, and what it shows of each.

Samples and rejected samples enter; JSON rows and thumbnails leave, bounded in number and size.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from synth_dspy.dataset.dedup import by_rank
from synth_dspy.dataset.pictures import webp_bytes
from synth_dspy.dataset.statistics import modality

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from synth_dspy.dataset.rejected import Rejected
    from synth_dspy.records import Sample

THUMBNAIL_SIDE = 480
_PICTURES_BYTES = 20_000_000
_TEXT_CHARS = 6_000
_REJECTED_SHARE = 0.3

T = TypeVar("T")


def browsable(
    samples: Sequence[Sample], rejected: Sequence[Rejected], *, run_dir: Path, limit: int
) -> dict[str, Any]:
    """`items`, at most `limit`, and the `pictures` (WebP as data URIs) that they point to.

    A picture is kept once however many samples show it; when all pictures would pass 20 MB the
    rest are left out (`picture` is -1), and long texts are cut with a note.

    Raises:
        StoreError: an image of a chosen sample cannot be read.
    """
    fallen = max(int(limit * _REJECTED_SHARE), limit - len(samples))
    lost = spread_over(rejected, min(fallen, limit), lambda r: (r.stage, r.reason, r.type))
    kept = spread_over(
        by_rank(samples),
        limit - len(lost),
        lambda s: (s.type, s.category, s.split, s.has_image),
    )
    pictures = _Pictures(run_dir)
    items = [_accepted(sample, pictures) for sample in kept]
    items.extend(_fallen(row, pictures) for row in lost)
    return {"items": items, "pictures": pictures.uris}


def spread_over(rows: Sequence[T], limit: int, stratum: Callable[[T], Hashable]) -> list[T]:
    """At most `limit` of `rows`, in their order: of each stratum in turn its next row."""
    if len(rows) <= limit:
        return list(rows)
    strata: dict[Hashable, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        strata[stratum(row)].append(index)
    turns = sorted(
        (turn / len(members), place, index)
        for place, members in enumerate(strata.values())
        for turn, index in enumerate(members)
    )
    first = {members[0] for members in strata.values()}
    order = [index for _, _, index in turns]
    order.sort(key=lambda index: index not in first)
    return [rows[index] for index in sorted(order[:limit])]


class _Pictures:
    """Thumbnails by path, within a budget of bytes."""

    def __init__(self, run_dir: Path) -> None:
        self.uris: list[str] = []
        self._run_dir = run_dir
        self._known: dict[str, int] = {}
        self._left = _PICTURES_BYTES

    def place(self, path: str) -> int:
        """Index of the thumbnail of the image at `path`, -1 for none."""
        if not path:
            return -1
        if path not in self._known:
            self._known[path] = self._add(path) if self._left > 0 else -1
        return self._known[path]

    def _add(self, path: str) -> int:
        data = base64.b64encode(webp_bytes(self._run_dir, path, max_side=THUMBNAIL_SIDE)).decode()
        self._left -= len(data)
        self.uris.append(f"data:image/webp;base64,{data}")
        return len(self.uris) - 1


def _accepted(sample: Sample, pictures: _Pictures) -> dict[str, Any]:
    return {
        "id": sample.id,
        "state": "accepted",
        "type": sample.type,
        "category": sample.category,
        "difficulty": sample.difficulty,
        "split": sample.split,
        "modality": modality(sample),
        "question": _cut(sample.question),
        "answer": _cut(sample.answer),
        "test": _cut(sample.test_code),
        "entry": sample.entry_point,
        "context": _cut(sample.code_context),
        "source": sample.source,
        "picture": pictures.place(sample.image),
        "metadata": sample.metadata,
    }


def _fallen(row: Rejected, pictures: _Pictures) -> dict[str, Any]:
    return {
        "id": "",
        "state": "rejected",
        "type": row.type,
        "category": row.category,
        "difficulty": row.difficulty,
        "split": "",
        "modality": row.modality or ("multimodal" if row.image else ""),
        "question": _cut(row.question),
        "answer": _cut(row.answer),
        "test": _cut(row.test_code),
        "entry": "",
        "context": "",
        "source": row.source,
        "picture": pictures.place(row.image),
        "stage": row.stage,
        "reason": row.reason,
        "detail": _cut(row.detail),
    }


def _cut(text: str) -> str:
    if len(text) <= _TEXT_CHARS:
        return text
    return f"{text[:_TEXT_CHARS]}\n… {len(text) - _TEXT_CHARS:,} more characters in the dataset"
