"""The chunks that filter-chunks kept, by id, read when the first is asked for.

For a worker: tasks name chunks that another process made, and are there before any task is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from synth_dspy.records import Chunk
from synth_dspy.stages.chunks import FilterChunks
from synth_dspy.stages.results import outputs
from synth_dspy.store.run_directory import RunDirectory


class KeptChunks(Mapping[str, Chunk]):
    """Chunks by id. Raises StageError at the first access when filter-chunks has not run."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run

    @cached_property
    def _chunks(self) -> dict[str, Chunk]:
        return {chunk.id: chunk for chunk in outputs(self._run, FilterChunks)}

    def __getitem__(self, name: str) -> Chunk:
        return self._chunks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chunks)

    def __len__(self) -> int:
        return len(self._chunks)
