"""transcribe and filter-images: Document -> Document, images drawn and described, then sifted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from synth_dspy.errors import ReplyError
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.parsing.markers import without_images
from synth_dspy.programs.filters import ImageDescriber, ImageFilter
from synth_dspy.records import Document, DroppedImage, Image
from synth_dspy.stages.contract import MapStage
from synth_dspy.stages.drawings import Drawings

_AROUND_CHARS = 1200


class Transcribe(MapStage[Document, Document]):
    """Draws what not every reader can show, and describes every image that is not decorative, and
    that no safety filter refuses to."""

    name, folder, unit = "transcribe", "transcribed", "documents"
    output_type = Document
    version = 2

    def __init__(
        self,
        module: ImageDescriber,
        fingerprint: str,
        *,
        drawings: Drawings,
        enabled: bool = True,
        concurrency: int = 4,
    ) -> None:
        self.concurrency = concurrency
        self._drawings = drawings
        self._module, self._fingerprint, self._enabled = module, fingerprint, enabled

    def settings(self) -> object:
        return (self._enabled, self._fingerprint)

    async def process(self, record: Document) -> Outcome:
        record = await self._drawings.of(record)
        if not self._enabled:
            return Kept((record,))
        images = await asyncio.gather(*(self._describe(record, image) for image in record.images))
        return Kept((replace(record, images=tuple(images)),))

    async def _describe(self, document: Document, image: Image) -> Image:
        if image.decorative:
            return replace(image, category="decorative")
        at = document.text.find(f"[IMAGE:{image.id}]")
        around = document.text[max(0, at - _AROUND_CHARS) : at + _AROUND_CHARS] if at >= 0 else ""
        try:
            reply = await self._module.acall(image=image, surrounding_text=around)
        except ReplyError as error:
            if error.reason != "blocked":
                raise
            return image  # one picture that a provider refuses must not take its document along
        return replace(image, description=reply.description, category=reply.kind)

    def close(self) -> None:
        """End the child processes that draw."""
        self._drawings.close()


class FilterImages(MapStage[Document, Document]):
    """Takes images out that teach nothing: out of the list, and their markers out of the text."""

    name, folder, unit = "filter-images", "filtered_images", "documents"
    output_type = Document

    def __init__(
        self, module: ImageFilter, fingerprint: str, *, enabled: bool = True, concurrency: int = 4
    ) -> None:
        self.concurrency = concurrency
        self._module, self._fingerprint, self._enabled = module, fingerprint, enabled

    def settings(self) -> object:
        return (self._enabled, self._fingerprint)

    async def process(self, record: Document) -> Outcome:
        if not self._enabled:
            return Kept((record,))
        reasons = await asyncio.gather(*(self._reason(image) for image in record.images))
        rejected = {i.id: r for i, r in zip(record.images, reasons, strict=True) if r}
        if not rejected:
            return Kept((record,))
        dropped = tuple(
            DroppedImage(i.ref or i.path, i.origin, rejected[i.id], i.cell, i.page)
            for i in record.images
            if i.id in rejected
        )
        kept = without_images(record, rejected.keys())
        return Kept((replace(kept, dropped_images=record.dropped_images + dropped),))

    async def _reason(self, image: Image) -> str:
        if image.decorative or image.category == "decorative":
            return "decorative"
        if not image.description:
            return ""
        verdict = await self._module.acall(image=image)
        return "" if verdict.passed else "not_informative"
