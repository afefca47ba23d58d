"""Figures of a PDF page: bitmaps as they are stored, vector drawings rendered as regions.

Sizes are known before anything is decoded, so a bitmap of a billion pixels is refused unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.parsing.raster import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.parsing.pdf_layout import Box, Paragraph
    from synth_dspy.records import ImageOrigin

RENDER_DPI = 150
MIN_FIGURE_PT = 40.0
MIN_PATHS = 4  # fewer are rules and frames
MAX_PATHS = 20_000  # a map or a scatter plot: one region, not a search for clusters
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
    """Paths that stand together; `rows` and `columns` of them are level and upright lines."""

    box: Box
    paths: int = 0
    rows: int = 0
    columns: int = 0

    def add(self, box: Box) -> None:
        """Take in one more path."""
        x0, y0, x1, y1 = self.box
        self.box = (min(x0, box[0]), min(y0, box[1]), max(x1, box[2]), max(y1, box[3]))
        self.paths += 1
        self.rows += box[3] - box[1] < 1.5
        self.columns += box[2] - box[0] < 1.5


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
    return bytes(pixmap.tobytes("png"))


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
        ref = "region " + ",".join(f"{value:.0f}" for value in box)
        figures.append(Figure(box, "pdf_vector", ref, lambda b=box: _region(page, b)))  # type: ignore[misc]
    return figures


def _regions(page: Any, paths: list[dict[str, Any]]) -> list[Region]:
    boxes = [tuple(p["rect"]) for p in paths if p.get("rect")]
    page_box = tuple(page.rect)
    boxes = [b for b in boxes if _area(b) < 0.8 * _area(page_box)]  # backgrounds
    if len(boxes) > MAX_PATHS:
        boxes = boxes[:MAX_PATHS]
    return _clusters(boxes, reach=max(12.0, page_box[2] / 80, page_box[3] / 80))


def _clusters(boxes: list[Box], reach: float) -> list[Region]:
    """Boxes joined where they come within `reach` points of each other, with their number.

    Boxes are put on a grid with cells of `reach`, so the work grows with the number of boxes.
    """
    parent = list(range(len(boxes)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    seen: dict[tuple[int, int], int] = {}
    for index, (x0, y0, x1, y1) in enumerate(boxes):
        for column in range(int(x0 // reach) - 1, int(x1 // reach) + 2):
            for row in range(int(y0 // reach) - 1, int(y1 // reach) + 2):
                other = seen.setdefault((column, row), index)
                parent[root(index)] = root(other)
    joined: dict[int, Region] = {}
    for index, box in enumerate(boxes):
        joined.setdefault(root(index), Region(box)).add(box)
    return sorted(joined.values(), key=lambda region: region.box)


def _is_figure(region: Region, page: Any, paragraphs: list[Paragraph], taken: list[Box]) -> bool:
    """Neither a rule, nor a frame around text, nor a table, nor what a bitmap already shows."""
    box = region.box
    sides = sorted((box[2] - box[0], box[3] - box[1]))
    if region.paths < MIN_PATHS or sides[0] < MIN_FIGURE_PT / 2 or sides[1] < MIN_FIGURE_PT:
        return False
    if region.paths in (region.rows, region.columns):  # nothing but parallel rules
        return False
    if _area(box) > 0.9 * _area(tuple(page.rect)):
        return False
    if any(_overlap(box, other) > 0.7 * _area(box) for other in taken):
        return False
    inside = sum(_overlap(p.box, box) for p in paragraphs if len(p.text) > 60)
    return inside < 0.45 * _area(box)


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
    return bytes(page.get_pixmap(clip=clip, dpi=dpi, alpha=False).tobytes("png"))


def _area(box: Any) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)
