"""plan (its allocating half): all chunks -> tasks. A barrier; it asks no model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.types import TYPES, Kind
from synth_dspy.records import Chunk, Task, to_dict
from synth_dspy.stages.allocation import AllocationOptions, allocate
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import write_jsonl

TASKS = "tasks.jsonl"


class Allocate(BarrierStage[Chunk, Task]):
    """Writes `planned/tasks.jsonl`, a task a line, in rank order."""

    name, folder, unit = "allocate", "planned", "chunks"
    journal = "allocation.jsonl"
    output_type = Task

    def __init__(
        self, folder: Path, options: AllocationOptions, types: Sequence[Kind] = TYPES
    ) -> None:
        self._tasks = folder / TASKS
        self._options, self._types = options, tuple(types)

    def settings(self) -> object:
        return asdict(self._options)

    def products(self) -> tuple[Path, ...]:
        return (self._tasks,)

    def run(self, records: Sequence[Chunk]) -> Sequence[Outcome]:
        tasks = allocate(records, self._options, self._types)
        write_jsonl(self._tasks, ({"rank": i, **to_dict(task)} for i, task in enumerate(tasks)))
        by_chunk: defaultdict[str, list[Task]] = defaultdict(list)
        for task in tasks:
            by_chunk[task.chunk_id].append(task)
        unused = Dropped("no_task", "no cell that is wanted can use it")
        return [
            Kept(tuple(by_chunk[chunk.id])) if chunk.id in by_chunk else unused for chunk in records
        ]
