"""Image bytes in, one file a picture out: `<run_dir>/images/<sha256>.<ext>`.

Knows nothing of documents. Safe to use from several processes: a file appears whole or not at all,
and equal bytes always go to the same name.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from synth_dspy.errors import StoreError
from synth_dspy.parsing.raster import ImageError, Raster, rasterise, sniff

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

    def add(self, data: bytes) -> StoredImage:
        """Keep `data` once.

        Raises:
            ImageError: the bytes cannot be used; nothing is written.
            StoreError: the file cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        raster = self._drawn(sha256, data) or rasterise(data, max_pixels=self.max_pixels)
        path = f"{FOLDER}/{sha256}.{raster.extension}"
        self._write(self.run_dir / path, raster.data)
        return StoredImage(
            sha256, raster.mime, raster.width, raster.height, path, raster.extension, raster.blank
        )

    def _drawn(self, sha256: str, data: bytes) -> Raster | None:
        """The drawing of an SVG or a PDF that is in the store already: drawing is slow."""
        mime = sniff(data)
        path = self.run_dir / FOLDER / f"{sha256}.png"
        if mime not in ("image/svg+xml", "application/pdf") or not path.exists():
            return None
        drawn = rasterise(path.read_bytes(), max_pixels=self.max_pixels)
        return replace(drawn, mime=mime)

    @staticmethod
    def _write(target: Path, data: bytes) -> None:
        if target.exists():
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(name).chmod(0o644)
                Path(name).replace(target)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The image {target} cannot be written: {error.strerror}.") from error
