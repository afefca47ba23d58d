"""Image bytes in, one file an image out: `<run_dir>/images/<sha256>.<ext>`, the bytes as they came.

Knows nothing of documents. Safe to use from several processes: a file appears whole or not at all,
and equal bytes always go to the same name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from synth_dspy.parsing.image_bytes import examine
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.image_files import write_once

__all__ = ["ImageError", "ImageStore", "StoredImage"]

FOLDER = "images"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that is in the store.

    Attributes:
        sha256: of its bytes.
        mime: by content.
        width, height: pixels (of the drawing, for SVG and PDF).
        path: relative to the run directory.
        blank: every pixel has the same colour.
    """

    sha256: str
    mime: str
    width: int
    height: int
    path: str
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
        facts = examine(data, max_pixels=self.max_pixels)
        sha256 = hashlib.sha256(data).hexdigest()
        path = f"{FOLDER}/{sha256}.{facts.extension}"
        write_once(self.run_dir / path, data)
        return StoredImage(sha256, facts.mime, facts.width, facts.height, path, facts.blank)
