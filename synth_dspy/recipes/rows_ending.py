"""What a run of rows came to: the cells that are short and why, and what was made, in lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from synth_dspy.config import Config
from synth_dspy.outcomes import Dropped
from synth_dspy.programs.row_formats import RowFormat
from synth_dspy.recipes.flow import Shortage
from synth_dspy.recipes.rows import GENERATE
from synth_dspy.recipes.rows_commit import ACCEPTED, Committer
from synth_dspy.recipes.rows_table import table_of
from synth_dspy.stages.results import results
from synth_dspy.stages.row_export import output_files
from synth_dspy.store.run_directory import RunDirectory, read_jsonl

_PREVIEWED = 5


def shortages(run: RunDirectory, made: RowFormat, committer: Committer) -> list[Shortage]:
    """The cells that are not full, with why rows were not accepted."""
    if not committer.missing:
        return []
    dropped = Counter(
        f"{stage.name}: {outcome.reason}"
        for stage in reversed(GENERATE)
        for _, outcome, _ in results(run, stage)
        if isinstance(outcome, Dropped)
    )
    return [
        Shortage(
            (made.name, cell),
            committer.wanted[cell],
            committer.accepted[cell],
            committer.refused[cell] + dropped,
        )
        for cell in committer.missing
    ]


def conclusion_of(run: RunDirectory, config: Config, made: RowFormat, count: int) -> Iterator[str]:
    """How many of what, the files, and the first rows.

    Args:
        count: the accepted rows.
    """
    cells, first = Counter[str](), list[dict[str, Any]]()
    for line in read_jsonl(run.path / ACCEPTED):
        cells[line["cell"]] += 1
        if len(first) < _PREVIEWED:
            first.append(line["values"])
    spread = ", ".join(f"{cells[cell]} {cell}" for cell in made.cells if cells[cell])
    yield f"{count} unique {made.name} rows" + (f": {spread}" if len(made.cells) > 1 else "")
    for path in output_files(config, made).values():
        yield f"wrote     {path}"
    yield ""
    yield from table_of(first, made.fields)
