"""chunk and filter-chunks: Document -> Chunks, and those that somebody could learn from."""

from __future__ import annotations

from dataclasses import asdict, astuple

from synth_dspy.dataset.admission import said
from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.parsing.chunking import ChunkOptions, chunk_document
from synth_dspy.programs.filters import ChunkFilter
from synth_dspy.records import Chunk, Document
from synth_dspy.stages.contract import MapStage


class MakeChunks(MapStage[Document, Chunk]):
    """Divides documents along their cells, headings and pages."""

    name, folder, unit = "chunk", "chunks", "documents"
    output_type = Chunk

    def __init__(self, options: ChunkOptions) -> None:
        self._options = options

    def settings(self) -> object:
        return astuple(self._options)

    async def process(self, record: Document) -> Outcome:
        chunks = chunk_document(record, self._options)
        return Kept(tuple(chunks)) if chunks else Dropped("no_text", "nothing to make chunks of")


class FilterChunks(MapStage[Chunk, Chunk]):
    """Drops chunks that hold an item of a benchmark and those of LOW quality unasked, then those
    that the model says teach nothing."""

    name, folder, unit = "filter-chunks", "filtered", "chunks"
    output_type = Chunk

    def __init__(
        self,
        module: ChunkFilter,
        fingerprint: str,
        *,
        enabled: bool = True,
        concurrency: int = 16,
        benchmarks: Benchmarks | None = None,
    ) -> None:
        self.concurrency = concurrency
        self._module, self._fingerprint, self._enabled = module, fingerprint, enabled
        self._benchmarks = benchmarks or Benchmarks()

    def settings(self) -> object:
        return (self._enabled, self._fingerprint, self._benchmarks.identity)

    async def process(self, record: Chunk) -> Outcome:
        if self._benchmarks.paths:
            hits = self._benchmarks.decontaminator.passage_hits(record)
            if hits:
                listed = {"hits": [asdict(hit) for hit in hits]}
                return Dropped("contaminated", said(hits), {**_brief(record), **listed})
        if not self._enabled:
            return Kept((record,))
        if record.quality == "LOW":
            return Dropped("low_quality", "too short, or hardly any words", _brief(record))
        verdict = await self._module.acall(chunk=record)
        if verdict.passed:
            return Kept((record,))
        return Dropped(f"not_{verdict.criterion}", verdict.reason, _brief(record))


def _brief(chunk: Chunk) -> dict[str, object]:
    return {"id": chunk.id, "path": chunk.path, "heading": chunk.heading, "text": chunk.text[:400]}
