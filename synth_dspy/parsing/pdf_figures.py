"""Figures of a PDF page: bitmaps as they are stored, vector drawings rendered as regions.

Sizes are known before anything is decoded, so a bitmap of a billion pixels is refused unseen.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.pdf_regions import Region, area, overlap, regions_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.parsing.pdf_layout import Box, Paragraph
    from synth_dspy.records import ImageOrigin

RENDER_DPI = 150
PNG_LEVEL = 2  # of zlib
MIN_FIGURE_PT = 40.0
MIN_PATHS = 4  # fewer are rules and frames
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
    regions = regions_of(page, paths)
    figures = []
    for region in regions:
        box = region.box
        if not _is_figure(region, page, paragraphs, taken):
            continue
        box = _with_labels(box, paragraphs)
        ref = "region " + ",".join(f"{value:.0f}" for value in box)
        figures.append(Figure(box, "pdf_vector", ref, lambda b=box: _region(page, b)))  # type: ignore[misc]
    return figures


def _is_figure(region: Region, page: Any, paragraphs: list[Paragraph], taken: list[Box]) -> bool:
    """Neither a rule, nor a frame around text, nor a table, nor what a bitmap already shows."""
    box = region.box
    sides = sorted((box[2] - box[0], box[3] - box[1]))
    if region.paths < MIN_PATHS or sides[0] < MIN_FIGURE_PT / 2 or sides[1] < MIN_FIGURE_PT:
        return False
    if region.is_grid:
        return False
    if area(box) > 0.9 * area(tuple(page.rect)):
        return False
    if any(overlap(box, other) > 0.7 * area(box) for other in taken):
        return False
    lines = [line for p in paragraphs for line in p.lines if overlap(line.box, box) > 0]
    said = sum(len(line.text) for line in lines if line.is_sentence)
    if said > 0.35 * sum(len(line.text) for line in lines):  # a box around prose or code
        return False
    inside = sum(overlap(p.box, box) for p in paragraphs if len(p.text) > 60)
    return inside < 0.45 * area(box)


def _with_labels(box: Box, paragraphs: list[Paragraph]) -> Box:
    """The region grown by the short lines that stand partly in it, so that no label is cut."""
    x0, y0, x1, y1 = box
    for paragraph in paragraphs:
        for line in paragraph.lines:
            if not line.is_sentence and overlap(line.box, box) > 0:
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
