"""Image bytes in, one file a picture out: `<run_dir>/images/<sha256>.<ext>`.

Knows nothing of documents. Safe to use from several processes: a file appears whole or not at all,
and equal bytes always go to the same name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from synth_dspy.errors import StoreError
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.raster import (
    KEPT,
    Raster,
    drawn_before,
    pixels_of,
    rasterise,
    sniff,
)

__all__ = ["ImageError", "ImageStore", "StoredImage"]

FOLDER = "images"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that is in the store.

    Attributes:
        sha256: of the bytes that came in.
        mime: of the bytes that came in; what is stored is PNG where that is SVG, AVIF or TIFF, so
            readers of the file go by `extension`.
        width, height: pixels.
        path: relative to the run directory.
        blank: every pixel has the same colour.
    """

    sha256: str
    mime: str
    width: int
    height: int
    path: str
    extension: str
    blank: bool = False


class ImageStore:
    """The pictures of a run. `max_pixels` guards against decompression bombs."""

    def __init__(self, run_dir: Path, *, max_pixels: int = 100_000_000) -> None:
        self.run_dir = run_dir
        self.max_pixels = max_pixels
        self._folder = run_dir / FOLDER

    def add(self, data: bytes) -> StoredImage:
        """Keep `data` once.

        Raises:
            ImageError: the bytes cannot be used; nothing is written.
            StoreError: the file cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        raster = self._drawn(sha256, data)
        if raster is None:
            raster = rasterise(data, max_pixels=self.max_pixels)
            self._write(f"{sha256}.{raster.extension}", raster.data)
        path = f"{FOLDER}/{sha256}.{raster.extension}"
        return StoredImage(
            sha256, raster.mime, raster.width, raster.height, path, raster.extension, raster.blank
        )

    def _drawn(self, sha256: str, data: bytes) -> Raster | None:
        """What was drawn of an SVG, AVIF or PDF and is in the store already: drawing is slow."""
        mime = sniff(data)
        if not mime or mime in KEPT:
            return None
        try:
            stored = (self._folder / f"{sha256}.png").read_bytes()
        except OSError:
            return None
        width, height, blank = drawn_before(stored)
        width, height = pixels_of(data, mime) or (width, height)
        return Raster(mime, stored, "png", width, height, blank)

    def _write(self, name: str, data: bytes) -> None:
        target = f"{self._folder}/{name}"
        if os.path.exists(target):  # noqa: PTH110 - thrice as fast, and this runs for every image
            return
        part = f"{self._folder}/.{name}.{os.getpid()}.{threading.get_ident()}"
        try:
            try:
                _write(part, data)
            except FileNotFoundError:  # the first image of the run
                self._folder.mkdir(parents=True, exist_ok=True)
                _write(part, data)
            os.replace(part, target)  # noqa: PTH105
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(part).unlink()
            raise StoreError(f"The image {target} cannot be written: {error.strerror}.") from error


def _write(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
