"""Paths of a PDF page in, the regions where they stand together out; geometry only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth_dspy.parsing.pdf_layout import Box

MAX_PATHS = 20_000  # a map or a scatter plot: one region, not a search for clusters
MAX_REGIONS = 400


@dataclass(slots=True)
class Region:
    """Paths that stand together.

    Attributes:
        rows, columns: how many are level and upright lines.
        cells: how many are empty rectangles; lefts, tops: where those begin, in whole points.
    """

    box: Box
    paths: int = 0
    rows: int = 0
    columns: int = 0
    cells: int = 0
    lefts: set[int] = field(default_factory=set)
    tops: set[int] = field(default_factory=set)

    @property
    def is_grid(self) -> bool:
        """Nothing but rules, or cells in rows and columns: the frame of a table."""
        if self.rows + self.columns + self.cells < self.paths:
            return False
        return len(self.lefts) * len(self.tops) <= 1.25 * self.cells

    def merge(self, other: Region) -> None:
        """Take in another region."""
        self._grow(other.box)
        self.paths += other.paths
        self.rows += other.rows
        self.columns += other.columns
        self.cells += other.cells
        self.lefts |= other.lefts
        self.tops |= other.tops

    def _grow(self, box: Box) -> None:
        x0, y0, x1, y1 = self.box
        self.box = (min(x0, box[0]), min(y0, box[1]), max(x1, box[2]), max(y1, box[3]))

    def add(self, box: Box, *, empty: bool) -> None:
        """Take in one more path; `empty`: a rectangle that is not filled."""
        self._grow(box)
        self.paths += 1
        level, upright = box[3] - box[1] < 1.5, box[2] - box[0] < 1.5
        self.rows += level
        self.columns += upright and not level
        if empty and not level and not upright:
            self.cells += 1
            self.lefts.add(round(box[0]))
            self.tops.add(round(box[1]))


def regions_of(page: Any, paths: list[dict[str, Any]]) -> list[Region]:
    """Where the page's paths stand together, from left to right."""
    width, height = page.rect.width, page.rect.height
    boxes: list[tuple[Box, bool]] = [
        (tuple(path["rect"]), _is_empty(path))
        for path in paths
        if path.get("rect") and path["rect"][2] - path["rect"][0] < 0.9 * width  # bars, backgrounds
    ]
    return _clusters(boxes[:MAX_PATHS], reach=max(12.0, width / 80, height / 80))


def _is_empty(path: dict[str, Any]) -> bool:
    """A rectangle with a line around it and nothing in it."""
    items = path["items"]
    return path["type"] == "s" and len(items) == 1 and items[0][0] == "re"


def _clusters(boxes: list[tuple[Box, bool]], reach: float) -> list[Region]:
    """Boxes joined where they come within `reach` points of each other.

    The outline of each box is put on a grid with cells of `reach`, so the work grows with the
    number of boxes; regions that then overlap become one.
    """
    parent = list(range(len(boxes)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    seen: dict[tuple[int, int], int] = {}
    for index, (box, _) in enumerate(boxes):
        near = {seen.setdefault(cell, index) for cell in _outline(box, reach)}
        for other in near - {index}:
            parent[root(index)] = root(other)
    joined: dict[int, Region] = {}
    for index, (box, empty) in enumerate(boxes):
        joined.setdefault(root(index), Region(box)).add(box, empty=empty)
    return _united(sorted(joined.values(), key=lambda region: region.box))


def _outline(box: Box, reach: float) -> set[tuple[int, int]]:
    left, top = int(box[0] // reach) - 1, int(box[1] // reach) - 1
    right, bottom = int(box[2] // reach) + 1, int(box[3] // reach) + 1
    columns, rows = range(left, right + 1), range(top, bottom + 1)
    if len(columns) > 3 and len(rows) > 3:  # two cells thick: the box's own, and the reach
        level = {(c, r) for c in columns for r in (top, top + 1, bottom - 1, bottom)}
        upright = {(c, r) for r in rows for c in (left, left + 1, right - 1, right)}
        return level | upright
    return {(c, r) for c in columns for r in rows}


def _united(regions: list[Region]) -> list[Region]:
    """Regions of more than one path, those that overlap as one."""
    made: list[Region] = []
    for region in regions:
        home = next((other for other in made if overlap(region.box, other.box) > 0), None)
        if home is None:
            if len(made) < MAX_REGIONS:
                made.append(region)
        else:
            home.merge(region)
    return made


def area(box: Any) -> float:
    """Square points."""
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def overlap(one: Box, other: Box) -> float:
    """Square points that both cover."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
