"""Figures of a PDF page: bitmaps as they are stored, vector drawings rendered as regions.

Sizes are known before anything is decoded, so a bitmap of a billion pixels is refused unseen.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synth_dspy.parsing.raster import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.parsing.pdf_layout import Box, Paragraph
    from synth_dspy.records import ImageOrigin

RENDER_DPI = 150
PNG_LEVEL = 2  # of zlib
MIN_FIGURE_PT = 40.0
MIN_PATHS = 4  # fewer are rules and frames
MAX_PATHS = 20_000  # a map or a scatter plot: one region, not a search for clusters
MAX_REGIONS = 400
MARGIN_PT = 3.0


@dataclass(slots=True)
class Figure:
    """A picture on a page.

    Attributes:
        box: x0, y0, x1, y1 in points.
        read: gives the bytes, or raises ImageError.
        ref: `xref 12`, `inline`, or `region x0,y0,x1,y1`.
    """

    box: Box
    origin: ImageOrigin
    ref: str
    read: Callable[[], bytes]
    caption: str = ""


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


def figures_of(page: Any, paragraphs: list[Paragraph], options: ParseOptions) -> list[Figure]:
    """Bitmaps with both sides of at least `pdf_min_image_px`, and the page's vector figures."""
    bitmaps = _bitmaps(page, options)
    return bitmaps + _drawings(page, paragraphs, [figure.box for figure in bitmaps])


def _bitmaps(page: Any, options: ParseOptions) -> list[Figure]:
    """Each drawing of a bitmap; which one it is is told by its size, by content where two agree."""
    by_size: dict[tuple[int, int], set[tuple[int, int]]] = {}
    masks: dict[int, int] = {}
    for xref, smask, width, height, *_ in page.get_images(full=True):
        by_size.setdefault((width, height), set()).add((xref, smask))
        masks[xref] = smask
    shown = [info for info in page.get_image_info() if _large(info, options)]
    unclear = any(len(by_size.get((i["width"], i["height"]), ())) > 1 for i in shown)
    pixels = sum(width * height for width, height in by_size)
    if unclear and pixels <= options.max_image_pixels:  # this decodes every image of the page
        shown = [info for info in page.get_image_info(xrefs=True) if _large(info, options)]
    figures = []
    for info in shown:
        size = (info["width"], info["height"])
        xref = info.get("xref") or next(iter(sorted(by_size.get(size, ()))), (0, 0))[0]
        box = tuple(info["bbox"])
        figures.append(_bitmap(page, box, xref, masks.get(xref, 0), size, options))
    return figures


def _large(info: dict[str, Any], options: ParseOptions) -> bool:
    return bool(min(info["width"], info["height"]) >= options.pdf_min_image_px)


def _bitmap(
    page: Any, box: Box, xref: int, smask: int, size: tuple[int, int], options: ParseOptions
) -> Figure:
    def read() -> bytes:
        if size[0] * size[1] > options.max_image_pixels:
            raise ImageError("too_large", f"{size[0]} x {size[1]} pixels")
        try:
            return _stored(page.parent, xref, smask) if xref else _rendered(page, box, RENDER_DPI)
        except (RuntimeError, ValueError) as error:
            raise ImageError("unreadable", str(error)) from error

    return Figure(box, "pdf_bitmap", f"xref {xref}" if xref else "inline", read)


def _stored(pdf: Any, xref: int, smask: int) -> bytes:
    """The image's own bytes where every reader knows their form; otherwise PNG over white."""
    import pymupdf

    if not smask:
        found = pdf.extract_image(xref)
        if (
            found
            and found["ext"] in ("png", "jpeg", "jpg")
            and found.get("colorspace", 3) in (1, 3)
        ):
            return bytes(found["image"])
    pixmap = pymupdf.Pixmap(pdf, xref)
    if pixmap.colorspace is None or pixmap.colorspace.n not in (1, 3):
        pixmap = pymupdf.Pixmap(pymupdf.csRGB, pixmap)
    if smask:
        mask = pymupdf.Pixmap(pdf, smask)
        if (mask.width, mask.height) == (pixmap.width, pixmap.height):
            if pixmap.alpha:
                pixmap = pymupdf.Pixmap(pixmap, 0)
            pixmap = pymupdf.Pixmap(pixmap, mask)
    return _png(pixmap)


def _png(pixmap: Any) -> bytes:
    """PNG, packed lightly: MuPDF's own packing takes longer than all the rest of a page."""
    from PIL import Image

    mode = {(1, 0): "L", (1, 1): "LA", (3, 0): "RGB", (3, 1): "RGBA"}.get(
        (pixmap.colorspace.n, pixmap.alpha)
    )
    if mode is None:
        return bytes(pixmap.tobytes("png"))
    image = Image.frombuffer(
        mode, (pixmap.width, pixmap.height), pixmap.samples_mv, "raw", mode, pixmap.stride, 1
    )
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def _drawings(page: Any, paragraphs: list[Paragraph], taken: list[Box]) -> list[Figure]:
    """Regions where many paths stand together, with the labels inside them."""
    try:
        paths = page.get_cdrawings()
    except (RuntimeError, ValueError):
        return []
    if len(paths) < MIN_PATHS:
        return []
    regions = _regions(page, paths)
    figures = []
    for region in regions:
        box = region.box
        if not _is_figure(region, page, paragraphs, taken):
            continue
        box = _with_labels(box, paragraphs)
        ref = "region " + ",".join(f"{value:.0f}" for value in box)
        figures.append(Figure(box, "pdf_vector", ref, lambda b=box: _region(page, b)))  # type: ignore[misc]
    return figures


def _regions(page: Any, paths: list[dict[str, Any]]) -> list[Region]:
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
        home = next((other for other in made if _overlap(region.box, other.box) > 0), None)
        if home is None:
            if len(made) < MAX_REGIONS:
                made.append(region)
        else:
            home.merge(region)
    return made


def _is_figure(region: Region, page: Any, paragraphs: list[Paragraph], taken: list[Box]) -> bool:
    """Neither a rule, nor a frame around text, nor a table, nor what a bitmap already shows."""
    box = region.box
    sides = sorted((box[2] - box[0], box[3] - box[1]))
    if region.paths < MIN_PATHS or sides[0] < MIN_FIGURE_PT / 2 or sides[1] < MIN_FIGURE_PT:
        return False
    if region.is_grid:
        return False
    if _area(box) > 0.9 * _area(tuple(page.rect)):
        return False
    if any(_overlap(box, other) > 0.7 * _area(box) for other in taken):
        return False
    lines = [line for p in paragraphs for line in p.lines if _overlap(line.box, box) > 0]
    said = sum(len(line.text) for line in lines if line.is_sentence)
    if said > 0.35 * sum(len(line.text) for line in lines):  # a box around prose or code
        return False
    inside = sum(_overlap(p.box, box) for p in paragraphs if len(p.text) > 60)
    return inside < 0.45 * _area(box)


def _with_labels(box: Box, paragraphs: list[Paragraph]) -> Box:
    """The region grown by the short lines that stand partly in it, so that no label is cut."""
    x0, y0, x1, y1 = box
    for paragraph in paragraphs:
        for line in paragraph.lines:
            if not line.is_sentence and _overlap(line.box, box) > 0:
                a0, b0, a1, b1 = line.box
                x0, y0, x1, y1 = min(x0, a0), min(y0, b0), max(x1, a1), max(y1, b1)
    return x0, y0, x1, y1


def _region(page: Any, box: Box) -> bytes:
    try:
        return _rendered(page, box, RENDER_DPI)
    except (RuntimeError, ValueError) as error:
        raise ImageError("unreadable", str(error)) from error


def _rendered(page: Any, box: Box, dpi: int) -> bytes:
    import pymupdf

    x0, y0, x1, y1 = box
    clip = pymupdf.Rect(x0 - MARGIN_PT, y0 - MARGIN_PT, x1 + MARGIN_PT, y1 + MARGIN_PT)
    clip &= page.rect
    if clip.is_empty:
        raise ImageError("unreadable", "a figure outside of its page")
    return _png(page.get_pixmap(clip=clip, dpi=dpi, alpha=False))


def _area(box: Any) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
