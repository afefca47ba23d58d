"""inspect and stats: what stages made, dropped and cost, as it lies on disk."""

from __future__ import annotations

import random as chance
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.commands.again import again
from synth_dspy.commands.context import Context, print_json, print_json_lines, show
from synth_dspy.errors import StageError, UserError
from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome
from synth_dspy.recipes.registry import flow_of, stage_named
from synth_dspy.records import to_dict
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.results import results, summaries
from synth_dspy.store.run_directory import RunDirectory, read_json

_LONG = 600
_IMAGE_FIELDS = frozenset({"image", "images", "dropped_images"})
_CODE_FIELDS = frozenset({
    "code", "code_blocks", "prior_code", "code_context", "test_code", "stub", "tests",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """Which of a stage's records are shown, and how.

    Attributes:
        count: at most so many; None or 0: all.
        index: only the record of this number; negative ones count from the last.
        dropped, failed: those, in place of what the stage put out.
        images, code: whether fields that hold them are shown.
        export: a JSONL file to write the records to, in place of showing them.
    """

    count: int | None = 3
    index: int | None = None
    random: bool = False
    dropped: bool = False
    failed: bool = False
    images: bool = True
    code: bool = True
    export: Path | None = None


def inspect_stage(context: Context, name: str, view: View, *, json_lines: bool) -> None:
    """Print a stage's output records, or what it dropped or failed on.

    Raises:
        StageError: the stage is unknown or has not run, or has no record of that number.
        UserError: the file to export to cannot be written.
    """
    stage = stage_named(context.config.recipe, name)
    if not context.config.output_dir.exists():
        raise StageError(
            f"There is no run in {context.config.output_dir} yet: run "
            f"`{again(context.config, 'pipeline')}` first."
        )
    found = list(_records(context.run, stage, dropped=view.dropped, failed=view.failed))
    if view.index is not None:
        found = [_chosen(found, view.index)]
    elif view.random:
        chance.shuffle(found)
    if view.count and view.index is None:
        found = found[: view.count]
    found = [_without(record, view) for record in found]
    if view.export is not None:
        _export(found, view.export)
        show(f"{len(found)} records -> {view.export}")
    elif json_lines:
        print_json_lines(found)
    else:
        for record in found:
            _show_record(record)
        if not found:
            show("nothing")


def _chosen(found: list[dict[str, Any]], index: int) -> dict[str, Any]:
    if not -len(found) <= index < len(found):
        there = f"0 to {len(found) - 1}" if found else "there are none"
        raise StageError(f"--index {index}: no such record; their numbers: {there}.")
    return found[index]


def _without(record: dict[str, Any], view: View) -> dict[str, Any]:
    hidden = (frozenset() if view.images else _IMAGE_FIELDS) | (
        frozenset() if view.code else _CODE_FIELDS
    )
    return _pruned(record, hidden) if hidden else record


def _pruned(value: Any, hidden: frozenset[str]) -> Any:
    """The value without the hidden fields, at any depth."""
    if isinstance(value, dict):
        return {k: _pruned(v, hidden) for k, v in value.items() if k not in hidden}
    return [_pruned(v, hidden) for v in value] if isinstance(value, list) else value


def _export(records: list[dict[str, Any]], path: Path) -> None:
    try:
        with path.open("wb") as file:
            for record in records:
                file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise UserError(f"--export {path}: cannot be written: {error.strerror}.") from error


def _records(
    run: RunDirectory, stage: type[Stage], *, dropped: bool, failed: bool
) -> Iterator[dict[str, Any]]:
    for key, outcome, meta in results(run, stage):
        if dropped or failed:
            if (line := _rejected(key, outcome, meta, dropped=dropped, failed=failed)) is not None:
                yield line
        elif isinstance(outcome, Kept):
            yield from outcome.outputs


def _rejected(
    key: str, outcome: Outcome, meta: dict[str, Any], *, dropped: bool, failed: bool
) -> dict[str, Any] | None:
    if dropped and isinstance(outcome, Dropped):
        return {"key": key, **to_dict(outcome), "meta": meta}
    if failed and isinstance(outcome, Failed):
        return {"key": key, **to_dict(outcome), "meta": meta}
    return None


def _show_record(record: dict[str, Any]) -> None:
    show("-" * 78)
    for name, value in record.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        if len(text) > _LONG:
            text = f"{text[:_LONG]} ... ({len(text)} characters)"
        show(f"{name}: {text}" if "\n" not in text else f"{name}:\n{text}")


def print_stats(context: Context, *, json_lines: bool) -> None:
    """Print the summaries of all stages and the dataset's counts.

    Raises:
        StageError: nothing has run in the run directory.
    """
    run = context.run
    found = summaries(run, flow_of(context.config.recipe).all_stages())
    if not found:
        raise StageError(
            f"There is no run in {run.path} yet: run `{again(context.config, 'pipeline')}` first."
        )
    statistics = read_json(run.folder("analysis") / "statistics.json") or {}
    counts = statistics.get("counts", {})
    if json_lines:
        print_json({"run": str(run.path), "stages": list(found.values()), "counts": counts})
        return
    show(f"{'stage':<20}{'in':>7}{'kept':>7}{'out':>7}{'dropped':>9}{'failed':>8}{'calls':>8}"
         f"{'tokens':>10}{'cost':>10}")  # fmt: skip
    for name, summary in found.items():
        total = summary["total"]
        show(
            f"{name:<20}{summary['in']:>7}{summary['kept']:>7}{summary['out']:>7}"
            f"{sum(summary['dropped'].values()):>9}{summary['failed']:>8}{total['llm_calls']:>8}"
            f"{total['tokens']:>10}{total['cost_usd']:>10.4f}"
        )
        for reason, number in sorted(summary["dropped"].items(), key=lambda item: -item[1]):
            show(f"{'':<20}  {number} {reason}")
    for name, values in counts.items():
        show(f"{name:<12} " + ", ".join(f"{key} {number}" for key, number in values.items()))
