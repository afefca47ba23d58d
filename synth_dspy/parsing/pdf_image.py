"""The bytes of a PDF figure in (an image of a notebook or a page, one page); its size, or a PNG."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from synth_dspy.parsing.image_error import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

PDF_SIDE_PX = 4096
PIXELS_A_POINT = 2.0


def pdf_size(data: bytes, *, max_pixels: int) -> tuple[int, int]:
    """Width and height in pixels of what `draw_pdf` would draw.

    Raises:
        ImageError: `unreadable`, `too_large`.
    """
    with _page(data, max_pixels) as (page, scale):
        return round(page.rect.width * scale), round(page.rect.height * scale)


def draw_pdf(data: bytes, *, max_pixels: int) -> bytes:
    """The PNG of the first page.

    Raises:
        ImageError: `unreadable`, `too_large`.
    """
    import pymupdf

    with _page(data, max_pixels) as (page, scale):
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
        png: bytes = pixmap.tobytes("png")
        return png


@contextmanager
def _page(data: bytes, max_pixels: int) -> Iterator[tuple[Any, float]]:
    """The first page, and how many pixels a point gets."""
    import pymupdf

    try:
        with pymupdf.open(stream=data, filetype="pdf") as document:
            if document.needs_pass or not document.page_count:
                raise ImageError("unreadable", "a PDF figure that is encrypted or has no page")
            page = document[0]
            width, height = page.rect.width, page.rect.height
            scale = min(PIXELS_A_POINT, PDF_SIDE_PX / max(width, height, 1.0))
            if width * height * scale * scale > max_pixels:
                raise ImageError("too_large", f"a PDF page of {width:.0f} x {height:.0f} points")
            yield page, scale
    except (RuntimeError, ValueError) as error:
        raise ImageError("unreadable", str(error)) from error
