"""What stages left on disk, read back: for `inspect`, for a stage run alone, and for the analysis.

Enters: a run directory and a stage. Leaves: its present outcomes, records or summary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synth_dspy.errors import StageError, StoreError
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.records import from_dict
from synth_dspy.stages.contract import Stage
from synth_dspy.store.journal import Journal
from synth_dspy.store.run_directory import RunDirectory, read_json

_VOLATILE = ("seconds", "cached", "llm_calls", "tokens", "cost_usd", "total", "beyond")


def keys_path(folder: Path, journal: str) -> Path:
    """Where a stage's present keys are listed, one a line, in the order of its input."""
    return folder / (journal.removesuffix(".jsonl") + ".keys")


def read_keys(listed: Path) -> list[str]:
    """The keys that `listed` holds.

    Raises:
        StoreError: it cannot be read, or holds something else.
    """
    try:
        keys = listed.read_bytes().decode("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{listed} is no list of keys ({error}). Delete it and run its stage again; what is "
            "finished stays in the journal."
        ) from error
    return keys


def listed_keys(run: RunDirectory, stage: type[Stage] | Stage) -> Path:
    """Where the present keys of a stage that has run are listed.

    Raises:
        StageError: it has not.
    """
    listed = keys_path(run.folder(stage.folder), stage.journal)
    if not listed.exists():
        raise StageError(
            f"`{stage.name}` has not run in {run.path}: there is no {listed.name} in "
            f"{stage.folder}/. Run `python -m synth_dspy.run {stage.name}` first, with the "
            "same --config and --set."
        )
    return listed


def results(
    run: RunDirectory, stage: type[Stage] | Stage
) -> Iterator[tuple[str, Outcome, dict[str, Any]]]:
    """A stage's present result as it lies on disk: key, outcome (outputs as JSON objects), meta.

    Raises:
        StageError: the stage has not run in this directory yet.
        StoreError: its files are damaged.
    """
    listed = listed_keys(run, stage)
    journal = Journal(run.folder(stage.folder) / stage.journal, writable=False)
    try:
        for key in read_keys(listed):
            if (entry := journal.get(key)) is not None:
                yield key, entry.outcome, entry.meta
    finally:
        journal.close()


class Outputs(Collection[Any]):
    """The records that a stage put out, in order, read each time they are gone through.

    Raises:
        StageError: the stage has not run in this directory yet. Going through them raises as
            `results` does.
    """

    def __init__(self, run: RunDirectory, stage: type[Stage] | Stage) -> None:
        listed_keys(run, stage)
        self._run, self._stage = run, stage

    def __len__(self) -> int:
        summary = read_json(summary_path(self._run.folder(self._stage.folder), self._stage))
        return int(summary["out"]) if summary is not None else sum(1 for _ in self)

    def __iter__(self) -> Iterator[Any]:
        where = str(self._run.folder(self._stage.folder) / self._stage.journal)
        for _, outcome, _ in results(self._run, self._stage):
            if isinstance(outcome, Kept):
                for record in outcome.outputs:
                    yield from_dict(self._stage.output_type, record, where=where)

    def __contains__(self, record: object) -> bool:
        return any(record == one for one in self)


def outputs(run: RunDirectory, stage: type[Stage] | Stage) -> list[Any]:
    """All of `Outputs` at once, for whoever needs them together. Raises as `results` does."""
    return list(Outputs(run, stage))


def summary_path(folder: Path, stage: type[Stage] | Stage) -> Path:
    """Where a stage's summary lies."""
    own = "summary.json" if stage.journal == "journal.jsonl" else f"{stage.name}.summary.json"
    return folder / own


def summaries(run: RunDirectory, stages: Sequence[type[Stage]]) -> dict[str, dict[str, Any]]:
    """The summaries of the stages that have run, by name, in the recipe's order."""
    found = {s.name: read_json(summary_path(run.folder(s.folder), s)) for s in stages}
    return {name: summary for name, summary in found.items() if summary is not None}


def counts_only(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Summaries without what differs between two equal runs: time, cost, what was cached."""
    return {
        name: {key: value for key, value in summary.items() if key not in _VOLATILE}
        for name, summary in found.items()
    }
