"""Document in; the same with pictures that every reader can show, and without those that cannot be.

What a parser stored as SVG, AVIF, TIFF or PDF is drawn here, once a run directory, before the first
step that looks at pictures. Not a stage: part of `transcribe`. Knows no model.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from synth_dspy.parsing import ImageError, without_images
from synth_dspy.parsing.drawing import Drawing, draw_stored, needs_drawing
from synth_dspy.records import Document, DroppedImage, Image
from synth_dspy.stages.children import ChildDiedError, Children


class Drawings:
    """Draws in child processes: what an SVG asks for is not known before it is drawn.

    Args:
        run_dir: what an image's `path` is relative to.
        max_pixels: an image with more is dropped as `too_large`.
    """

    def __init__(self, run_dir: Path, *, max_pixels: int, children: Children) -> None:
        self._run_dir, self._max_pixels = run_dir, max_pixels
        self._children = children

    async def of(self, document: Document) -> Document:
        """The document, every image's `path` that of a PNG, JPEG, GIF or WebP.

        An image that cannot be drawn leaves the text and the list; `dropped_images` says why.

        Raises:
            StoreError: an image is not in the run directory, or cannot be written to it.
        """
        waiting = list(dict.fromkeys(i.path for i in document.images if needs_drawing(i.path)))
        if not waiting:
            return document
        made = dict(
            zip(waiting, await asyncio.gather(*(self._draw(path) for path in waiting)), strict=True)
        )
        images: list[Image] = []
        failed: dict[str, DroppedImage] = {}
        for image in document.images:
            drawing = made.get(image.path, Drawing(image.path))
            if isinstance(drawing, str):
                failed[image.id] = DroppedImage(
                    image.ref or image.path, image.origin, drawing, image.cell, image.page
                )
            decorative = image.decorative or (isinstance(drawing, Drawing) and drawing.blank)
            path = drawing.path if isinstance(drawing, Drawing) else image.path
            images.append(replace(image, path=path, decorative=decorative))
        dropped = (*document.dropped_images, *failed.values())
        shown = replace(document, images=tuple(images), dropped_images=dropped)
        return without_images(shown, failed.keys()) if failed else shown

    async def _draw(self, path: str) -> Drawing | str:
        """The drawing, or the reason why there is none."""
        try:
            return await self._children.call(draw_stored, self._run_dir, path, self._max_pixels)
        except ImageError as error:
            return error.reason
        except (ChildDiedError, TimeoutError):
            return "too_complex"

    def close(self) -> None:
        """End the child processes."""
        self._children.close()
