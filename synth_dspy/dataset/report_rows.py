"""Which records a report lets people browse, and what it shows of each.

Shown records enter; JSON rows and thumbnails leave, bounded in number and size.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from synth_dspy.dataset.pictures import webp_bytes
from synth_dspy.dataset.shown import ACCEPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from synth_dspy.dataset.shown import Part, Shown

THUMBNAIL_SIDE = 480
_PICTURES_BYTES = 20_000_000
_TEXTS_BYTES = 14_000_000
_TEXT_CHARS = 6_000
_SHORT_CHARS = 1_000
_ERRORS = 8
_REJECTED_SHARE = 0.3
_STRATA = ("type", "category", "split", "modality")
_FIRST = ("state", "type", "category", "split", "modality", "difficulty")
_LAST = ("stage", "reason")

T = TypeVar("T")


def browsable(rows: Sequence[Shown], *, run_dir: Path, limit: int) -> dict[str, Any]:
    """`items`, at most `limit`, the `pictures` (WebP as data URIs) that they point to, and the
    `facets` to filter by, in order.

    Of accepted and of rejected ones some of every kind are taken. A picture is kept once however
    many records show it; when all pictures would pass 20 MB the rest are left out (`picture` is
    -1). Long texts are cut with a note, all the shorter when there are many.

    Raises:
        StoreError: an image of a chosen record cannot be read.
    """
    kept = [row for row in rows if row.state == ACCEPTED]
    lost = [row for row in rows if row.state != ACCEPTED]
    room = max(int(limit * _REJECTED_SHARE), limit - len(kept))
    lost = spread_over(lost, min(room, limit), lambda r: (r.stage, r.reason, r.facets.get("type")))
    kept = spread_over(kept, limit - len(lost), lambda r: [r.facets.get(name) for name in _STRATA])
    pictures, chosen = _Pictures(run_dir), [*kept, *lost]
    items = [_item(row, pictures, _TEXT_CHARS) for row in chosen]
    if sum(map(_chars, items)) > _TEXTS_BYTES:
        items = [_item(row, pictures, _SHORT_CHARS) for row in chosen]
    named = {name for item in items for name, value in item["facets"].items() if value}
    between = sorted(named - {*_FIRST, *_LAST})
    facets = [name for name in (*_FIRST, *between, *_LAST) if name in named]
    return {"items": items, "pictures": pictures.uris, "facets": facets}


def spread_over(rows: Sequence[T], limit: int, stratum: Callable[[T], object]) -> list[T]:
    """At most `limit` of `rows`, in their order: of each stratum in turn its next row."""
    if len(rows) <= limit:
        return list(rows)
    strata: dict[Hashable, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        strata[str(stratum(row))].append(index)
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


def _item(row: Shown, pictures: _Pictures, most: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "title": row.title[:300],
        "code": row.code,
        "facets": {
            "state": row.state,
            **{name: value for name, value in row.facets.items() if value},
            **({"stage": row.stage, "reason": row.reason} if row.reason else {}),
        },
        "parts": [_part(part, most) for part in row.parts if part.text or part.turns],
        "source": row.source,
        "picture": pictures.place(row.image),
        "metadata": dict(row.metadata),
        "stage": row.stage,
        "reason": row.reason,
        "detail": _cut(row.detail, most),
        "errors": [_cut(error, _SHORT_CHARS) for error in row.errors[-_ERRORS:]],
    }


def _chars(item: dict[str, Any]) -> int:
    parts = item["parts"]
    return sum(len(p["text"]) + sum(len(turn["text"]) for turn in p["turns"]) for p in parts)


def _part(part: Part, most: int) -> dict[str, Any]:
    turns = [{"role": turn.role, "text": _cut(turn.content, most)} for turn in part.turns]
    return {
        "title": part.title,
        "kind": part.kind,
        "text": _cut(part.text, most),
        "turns": turns,
        "folded": part.folded,
    }


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}\n… {len(text) - most:,} more characters in the dataset"
