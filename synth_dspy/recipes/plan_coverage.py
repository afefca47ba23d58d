"""What `plan` tells of its plan: how many passages and images it uses, how often, and a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from synth_dspy.dataset.plots_allocation import draw_coverage
from synth_dspy.records import Chunk, Task
from synth_dspy.stages.allocation_sweep import coverage, coverage_line
from synth_dspy.stages.plan import Allocate
from synth_dspy.store.run_directory import RunDirectory

COVERAGE = "coverage.png"
_MANY = 6


def tell_coverage(run: RunDirectory, tasks: Sequence[Task], chunks: Sequence[Chunk]) -> str:
    """A line for the user; the plot lies beside the plan."""
    found = coverage(tasks, chunks)
    path = run.folder(Allocate.folder) / COVERAGE
    draw_coverage(asdict(found), reuse_of(tasks, chunks), path)
    return f"{coverage_line(found)}; {path}"


def reuse_of(tasks: Sequence[Task], chunks: Sequence[Chunk]) -> dict[str, int]:
    """By number of tasks, how many passages have so many: `0` to `5`, and `6+`."""
    uses = Counter(task.chunk_id for task in tasks)
    counts = Counter(min(uses[chunk.id], _MANY) for chunk in chunks)
    return {f"{n}+" if n == _MANY else str(n): counts[n] for n in range(_MANY + 1)}
