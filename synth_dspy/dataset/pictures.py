"""Images as a dataset and a report hold them: RGB, bounded, encoded to the same bytes each time.

A file below the run directory enters, PNG or WebP bytes leave. It knows no records.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from synth_dspy.errors import StoreError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_SIDE = 1024
"""Longest side of an exported image, in pixels."""


def png_bytes(run_dir: Path, path: str, *, max_side: int = MAX_SIDE) -> bytes:
    """The image at `path` (relative to `run_dir`) as an RGB PNG, transparency on white.

    Raises:
        StoreError: the file is missing, is outside the run directory, or is not an image.
    """
    out = io.BytesIO()
    _rgb(run_dir, path, max_side).save(out, "PNG", compress_level=6)
    return out.getvalue()


def webp_bytes(run_dir: Path, path: str, *, max_side: int, quality: int = 72) -> bytes:
    """The image at `path` as a WebP thumbnail.

    Raises:
        StoreError: the file is missing, is outside the run directory, or is not an image.
    """
    out = io.BytesIO()
    _rgb(run_dir, path, max_side).save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


def _rgb(run_dir: Path, path: str, max_side: int) -> Picture:
    from PIL import Image, UnidentifiedImageError

    file = (run_dir / path).resolve()
    if not file.is_relative_to(run_dir.resolve()):
        raise StoreError(
            f"The image {path!r} of a sample is outside of the run directory {run_dir}."
        )
    try:
        with Image.open(file) as opened:
            opened.load()
            picture: Picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise StoreError(
            f"The image {path!r} of a sample cannot be read from {run_dir}: {error}. "
            "Run parse again with --no-cache."
        ) from error
    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    if max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return picture
