"""A stored image in; the picture that every reader can show, drawn when it is first asked for.

PNG, JPEG, GIF and WebP are shown as they are. SVG, AVIF, TIFF, BMP, JPEG 2000 and one-page PDF
become `images/<sha256>.png`, beside the bytes that they came as. Drawing costs ten to a hundred
times what reading does, so parsing leaves it to whoever wants to see the picture.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth_dspy.errors import StoreError
from synth_dspy.parsing.image_bytes import DAMAGE, EXTENSIONS, is_blank, sniff
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.image_files import write_once
from synth_dspy.parsing.pdf_image import draw_pdf
from synth_dspy.parsing.svg import draw_svg

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

SHOWN_AS_THEY_ARE = frozenset({".png", ".jpg", ".gif", ".webp"})
SPARSE = 50  # pixels a byte; with fewer, a drawing has more than one colour
MAX_SIDE_PX = 4096  # of a bitmap that is converted: larger helps no vision model


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that can be shown.

    Attributes:
        path: relative to the run directory.
        blank: every pixel has the same colour.
    """

    path: str
    blank: bool = False


def needs_drawing(path: str) -> bool:
    """Whether the stored image is of a form that not every reader can show."""
    return Path(path).suffix not in SHOWN_AS_THEY_ARE


def draw_stored(run_dir: Path, path: str, max_pixels: int) -> Drawing:
    """The picture of an image that needs drawing; drawn once a run directory.

    Raises:
        ImageError: `unreadable` (damage that its headers did not tell), `too_large`.
        StoreError: the image is not there, or its picture cannot be written.
    """
    from PIL import Image

    target = str(Path(path).with_suffix(".png"))
    try:
        png = (run_dir / target).read_bytes()
    except OSError:
        try:
            data = (run_dir / path).read_bytes()
        except OSError as error:
            raise StoreError(
                f"The image {path!r} cannot be read from {run_dir}: {error.strerror}. "
                "Run parse again with --no-cache."
            ) from error
        png = draw(data, max_pixels=max_pixels)
        write_once(run_dir / target, png)
    with Image.open(io.BytesIO(png)) as picture:
        sparse = len(png) * SPARSE < picture.width * picture.height
        return Drawing(target, sparse and is_blank(picture))


def draw(data: bytes, *, max_pixels: int) -> bytes:
    """What `data` shows, as a PNG.

    Raises:
        ImageError: `unreadable`, `too_large`.
    """
    from PIL import Image

    mime = sniff(data)
    if mime == "image/svg+xml":
        return draw_svg(data, max_pixels=max_pixels)
    if mime == "application/pdf":
        return draw_pdf(data, max_pixels=max_pixels)
    if mime not in EXTENSIONS:
        raise ImageError("unreadable", "the bytes are no image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: PillowImage = Image.open(io.BytesIO(data))
            if image.width * image.height > max_pixels:
                raise ImageError("too_large", f"{image.width} x {image.height} pixels")
            return _png(image)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageError("too_large", str(error)) from error
    except DAMAGE as error:
        raise ImageError("unreadable", str(error)) from error


def _png(image: PillowImage) -> bytes:
    if image.mode not in ("RGB", "RGBA", "L", "LA", "P", "1"):
        image = image.convert("RGBA" if "A" in image.mode else "RGB")
    if max(image.size) > MAX_SIDE_PX:
        image = image.copy()
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=2)
    return out.getvalue()
