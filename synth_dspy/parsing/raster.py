"""Image bytes in; what they are (by content), how large, and bytes that every reader can show.

PNG, JPEG, GIF and WebP stay as they are. SVG, AVIF, TIFF, BMP, JPEG 2000 and one-page PDF become
PNG. Sizes are read from headers before anything is decoded. Knows nothing of documents or files.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.svg import draw_svg

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

KEPT = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
MAX_SIDE_PX = 4096  # of what is rasterised: larger helps no vision model
SPARSE = 150  # pixels a byte; with fewer, an image has more than one colour

# What Pillow raises for damaged bytes (UnidentifiedImageError is an OSError).
_DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, OverflowError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raster:
    """An image that can be shown.

    Attributes:
        mime: of the bytes that came in; data, extension: what to keep (PNG for SVG and AVIF).
        width, height: pixels of what came in (of what was drawn, for SVG and PDF).
        blank: every pixel has the same colour.
    """

    mime: str
    data: bytes
    extension: str
    width: int
    height: int
    blank: bool = False


def sniff(data: bytes) -> str:
    """The media type of `data` by its content, or "" when it is no image."""
    head = data[:64]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and (b"avif" in head or b"avis" in head):
        return "image/avif"
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return "image/tiff"
    if head[:2] == b"BM":
        return "image/bmp"
    if head[4:8] == b"jP  " or head[:4] == b"\xff\x4f\xff\x51":
        return "image/jp2"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "application/postscript"
    if b"<svg" in data[:4096] or (b"<svg" in data and data.lstrip()[:5] in (b"<?xml", b"<!DOC")):
        return "image/svg+xml"
    return ""


def rasterise(data: bytes, *, max_pixels: int) -> Raster:
    """What `data` shows, in a form that every reader understands.

    Raises:
        ImageError: `unreadable` (no image, or a damaged one), `too_large` (by its header),
            `unsupported` (an image that nothing here can draw: EPS).
    """
    mime = sniff(data)
    if not mime:
        raise ImageError("unreadable", "the bytes are no image")
    if mime == "image/svg+xml":
        drawn = _from_pixels(draw_svg(data, max_pixels=max_pixels), "image/png", max_pixels)
        return replace(drawn, mime=mime)
    if mime == "application/pdf":
        return _from_pdf(data, max_pixels)
    if mime == "application/postscript":
        raise ImageError("unsupported", "PostScript images cannot be drawn")
    return _from_pixels(data, mime, max_pixels)


def drawn_before(png: bytes) -> tuple[int, int, bool]:
    """Width, height and blankness of a PNG that this module drew; it is not checked again."""
    from PIL import Image

    width, height = struct.unpack_from(">II", png, 16)
    sparse = len(png) * SPARSE < width * height
    return width, height, sparse and _blank(Image.open(io.BytesIO(png)))


def pixels_of(data: bytes, mime: str) -> tuple[int, int] | None:
    """Width and height that the header of a bitmap states; None for what has none (SVG, PDF)."""
    from PIL import Image

    if mime in ("image/svg+xml", "application/pdf"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data)).size
    except (*_DAMAGE, Image.DecompressionBombError):
        return None


def _from_pixels(data: bytes, mime: str, max_pixels: int) -> Raster:
    from PIL import Image

    if mime == "image/png":
        width, height = _png_size(data, max_pixels)
        if len(data) * SPARSE >= width * height:
            return Raster(mime, data, KEPT[mime], width, height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: PillowImage = Image.open(io.BytesIO(data))
            width, height = image.size
            if width * height > max_pixels:
                raise ImageError("too_large", f"{width} x {height} pixels")
            if mime == "image/png":
                pass  # every chunk has been checked
            elif mime == "image/jpeg" and b"\xff\xda" in data and data.endswith(b"\xff\xd9"):
                pass  # it has a scan and its end
            elif mime == "image/jpeg":
                image.draft("L", (max(1, width // 8), max(1, height // 8)))
                image.load()
            else:
                image.load()
            sparse = len(data) * SPARSE < width * height
            blank = sparse and _blank(Image.open(io.BytesIO(data)))
            if mime in KEPT:
                return Raster(mime, data, KEPT[mime], width, height, blank)
            return Raster(mime, _png(image), "png", width, height, blank)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageError("too_large", str(error)) from error
    except _DAMAGE as error:
        raise ImageError("unreadable", str(error)) from error


def _png_size(data: bytes, max_pixels: int) -> tuple[int, int]:
    """Width and height of a PNG whose every chunk is whole, by its checksum; decodes nothing.

    Raises:
        ImageError: `unreadable`, `too_large`.
    """
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise ImageError("unreadable", "a PNG without its header")
    width, height = struct.unpack_from(">II", data, 16)
    if width * height > max_pixels:
        raise ImageError("too_large", f"{width} x {height} pixels")
    position, seen = 8, set()
    view = memoryview(data)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise ImageError("unreadable", f"truncated in its chunk {kind!r}")
        if zlib.crc32(view[position + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise ImageError("unreadable", f"a wrong checksum in its chunk {kind!r}")
        seen.add(kind)
        position = end
        if kind == b"IEND":
            break
    if not {b"IDAT", b"IEND"} <= seen or not width or not height:
        raise ImageError("unreadable", "a PNG without pixels, or without its end")
    return width, height


def _blank(image: PillowImage) -> bool:
    extrema = image.convert("RGBA").getextrema()
    return all(low == high for low, high in extrema)  # type: ignore[misc]


def _png(image: PillowImage) -> bytes:
    if image.mode not in ("RGB", "RGBA", "L", "LA", "P", "1"):
        image = image.convert("RGBA" if "A" in image.mode else "RGB")
    if max(image.size) > MAX_SIDE_PX:
        image = image.copy()
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=2)
    return out.getvalue()


def _from_pdf(data: bytes, max_pixels: int) -> Raster:
    import pymupdf

    try:
        with pymupdf.open(stream=data, filetype="pdf") as document:
            if document.needs_pass or not document.page_count:
                raise ImageError("unreadable", "a PDF figure that is encrypted or has no page")
            page = document[0]
            width, height = page.rect.width, page.rect.height
            scale = min(2.0, MAX_SIDE_PX / max(width, height, 1.0))
            if width * height * scale * scale > max_pixels:
                raise ImageError("too_large", f"a PDF page of {width:.0f} x {height:.0f} points")
            pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
            png = pixmap.tobytes("png")
            return Raster("application/pdf", png, "png", pixmap.width, pixmap.height)
    except (RuntimeError, ValueError) as error:
        raise ImageError("unreadable", str(error)) from error
