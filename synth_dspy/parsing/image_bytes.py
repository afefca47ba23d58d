"""Image bytes in; what they are (by content), how large, and whether they are whole.

Headers tell it wherever they can: a PNG's checksums, a JPEG's end, an AVIF's boxes, an SVG's XML.
Nothing is drawn here: `drawing` does that when somebody wants to see the picture. Knows nothing of
documents or files.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.pdf_image import pdf_size
from synth_dspy.parsing.svg import svg_size

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
    "image/avif": "avif",
    "image/tiff": "tif",
    "image/bmp": "bmp",
    "image/jp2": "jp2",
    "application/pdf": "pdf",
}
SPARSE = 150  # pixels a byte; with fewer, an image has more than one colour

# What Pillow raises for damaged bytes (UnidentifiedImageError is an OSError).
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, OverflowError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of image bytes.

    Attributes:
        mime: by content; extension: of a file that holds them.
        width, height: pixels (of the drawing, for SVG and PDF).
        blank: every pixel has the same colour; told of PNG, JPEG, GIF and WebP only.
    """

    mime: str
    width: int
    height: int
    blank: bool = False

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.mime]


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


def examine(data: bytes, *, max_pixels: int) -> ImageFacts:
    """What `data` is, as far as its headers and its ends tell.

    Raises:
        ImageError: `unreadable` (no image, or a damaged one), `too_large` (by its header),
            `unsupported` (an image that nothing here can draw: EPS).
    """
    mime = sniff(data)
    if not mime:
        raise ImageError("unreadable", "the bytes are no image")
    if mime == "application/postscript":
        raise ImageError("unsupported", "PostScript images cannot be drawn")
    if mime == "image/svg+xml":
        return ImageFacts(mime, *svg_size(data, max_pixels=max_pixels))
    if mime == "application/pdf":
        return ImageFacts(mime, *pdf_size(data, max_pixels=max_pixels))
    if mime == "image/png":
        width, height = _png_size(data, max_pixels)
        if len(data) * SPARSE >= width * height:
            return ImageFacts(mime, width, height)
    return _bitmap(data, mime, max_pixels)


def is_blank(image: PillowImage) -> bool:
    """Whether every pixel has the same colour."""
    extrema = image.convert("RGBA").getextrema()
    return all(low == high for low, high in extrema)  # type: ignore[misc]


def _bitmap(data: bytes, mime: str, max_pixels: int) -> ImageFacts:
    from PIL import Image

    if mime == "image/avif":
        _check_boxes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _opened(data, mime)
            width, height = image.size
            if width * height > max_pixels:
                raise ImageError("too_large", f"{width} x {height} pixels")
            if mime in ("image/png", "image/avif"):
                pass  # every chunk, every box is there
            elif mime == "image/jpeg" and b"\xff\xda" in data and data.endswith(b"\xff\xd9"):
                pass  # it has a scan and its end
            elif mime == "image/jpeg":
                image.draft("L", (max(1, width // 8), max(1, height // 8)))
                image.load()
            else:
                image.load()
            shown_as_it_is = mime in ("image/png", "image/jpeg", "image/gif", "image/webp")
            sparse = shown_as_it_is and len(data) * SPARSE < width * height
            return ImageFacts(mime, width, height, sparse and is_blank(_opened(data, mime)))
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageError("too_large", str(error)) from error
    except DAMAGE as error:
        raise ImageError("unreadable", str(error)) from error


def _opened(data: bytes, mime: str) -> PillowImage:
    from PIL import Image

    if mime == "image/avif":  # else Pillow imports each of its plugins before it finds this one
        from PIL import AvifImagePlugin

        return AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    return Image.open(io.BytesIO(data))


def _check_boxes(data: bytes) -> None:
    """Every top-level box of an AVIF lies within the file (ISO/IEC 14496-12, 4.2).

    Raises:
        ImageError: `unreadable`, when the file was cut off.
    """
    position, kinds = 0, set()
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if length == 1 and position + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, position + 8)
        elif length == 0:  # up to the end of the file
            length = len(data) - position
        if length < 8 or position + length > len(data):
            raise ImageError("unreadable", f"an AVIF that is cut off in its box {kind!r}")
        kinds.add(kind)
        position += length
    if not {b"meta", b"moov"} & kinds:
        raise ImageError("unreadable", "an AVIF without its description")


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
