"""What a barrier's run is identified by, and what one before left.

Enters: a barrier and its records. Leaves: keys, a state, and the outcomes of the run before when it
had exactly these. Shared by the engines that run barriers and the one that only looks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy.outcomes import Kept
from synth_dspy.records import content_hash, digest
from synth_dspy.runners.workbench import Done, Workbench
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.stages.results import results
from synth_dspy.store.journal import Journal
from synth_dspy.store.run_directory import read_json


@dataclass(frozen=True, slots=True)
class Inputs:
    """The records of a barrier, each once, in the order of their hashes.

    Attributes:
        keys: of the records, in the same order.
        state: equal only when the records and the settings are.
    """

    records: Sequence[Any]
    keys: Sequence[str]
    state: str


def inputs_of(stage: BarrierStage[Any, Any], records: Iterable[Any]) -> Inputs:
    """Two equal records are one input of a barrier; their order must mean nothing."""
    keyed = sorted({content_hash(r): r for r in records}.items(), key=lambda item: item[0])
    fingerprint = stage.fingerprint()
    return Inputs(
        [record for _, record in keyed],
        [digest(fingerprint, key) for key, _ in keyed],
        digest(fingerprint, [key for key, _ in keyed]),
    )


def marker_of(folder: Path, stage: BarrierStage[Any, Any]) -> Path:
    """The file that says which state the stage's files are of."""
    return folder / f".{stage.name}.json"


def recall_barrier(
    bench: Workbench, stage: BarrierStage[Any, Any], inputs: Inputs
) -> list[Done] | None:
    """The outcomes of the run before; None when it had other inputs, or a file of it is gone."""
    path = bench.run.folder(stage.folder) / stage.journal
    known = read_json(marker_of(path.parent, stage)) or {}
    present = path.exists() and known.get("files") == sizes(stage, path.parent)
    if bench.is_fresh(stage) or not present or known.get("state") != inputs.state:
        return None
    journal = Journal(path, writable=False)
    try:
        entries = [journal.get(key) for key in inputs.keys]
    finally:
        journal.close()
    if any(entry is None for entry in entries):
        return None
    return [
        Done(entry.key, bench.revive(stage, entry.outcome), True, entry.meta)
        for entry in entries
        if entry is not None
    ]


def recall_outputs(bench: Workbench, stage: BarrierStage[Any, Any]) -> list[Any]:
    """What the run before put out, whatever its inputs were; nothing when there was none."""
    if not (bench.run.folder(stage.folder) / stage.journal).exists():
        return []
    revived = (bench.revive(stage, outcome) for _, outcome, _ in results(bench.run, stage))
    return [o for outcome in revived if isinstance(outcome, Kept) for o in outcome.outputs]


def sizes(stage: BarrierStage[Any, Any], folder: Path) -> dict[str, int]:
    """Bytes of every file that the stage made: one that is gone or cut makes it run again."""
    files = [
        file
        for product in stage.products()
        for file in (product.rglob("*") if product.is_dir() else [product])
    ]
    return {os.path.relpath(f, folder): f.stat().st_size for f in sorted(files) if f.is_file()}
