"""cache-info and cache-clear: what is stored in a run directory, and how to be rid of it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from synth_dspy.commands.context import Context, print_json_lines, show
from synth_dspy.errors import StageError
from synth_dspy.recipes.registry import flow_of, stage_named
from synth_dspy.recipes.resources import REPLIES
from synth_dspy.store.run_directory import RunDirectory


def show_cache(context: Context, *, json_lines: bool) -> None:
    """Print a stage a line: entries, bytes and when it was last written; then the replies."""
    run = context.run
    lines = [
        _describe(stage.name, run.folder(stage.folder))
        for stage in flow_of(context.config.recipe).stages
    ]
    lines = [line for line in lines if line["bytes"]]
    if (replies := run.path / REPLIES).exists():
        size, written = replies.stat().st_size, replies.stat().st_mtime
        lines.append({"stage": "replies", "entries": None, "bytes": size, "written": written})
    if json_lines:
        print_json_lines(lines)
        return
    for line in lines:
        entries = "" if line["entries"] is None else f"{line['entries']} entries"
        age = (time.time() - line["written"]) / 60
        show(f"{line['stage']:<20}{entries:>16}{line['bytes'] / 1e6:>10.2f} MB{age:>10.0f} min old")
    if not lines:
        show(f"nothing is stored in {run.path}")


def _describe(stage: str, folder: Path) -> dict[str, Any]:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    journal = folder / "journal.jsonl"
    entries = 0
    if journal.exists():
        with journal.open("rb") as file:
            entries = sum(1 for _ in file)
    return {
        "stage": stage,
        "entries": entries,
        "bytes": sum(path.stat().st_size for path in files),
        "written": max((path.stat().st_mtime for path in files), default=0.0),
    }


def clear_cache(context: Context, *, stage: str, replies: bool) -> None:
    """Delete finished work of one stage, or of all; the replies only when asked for.

    Raises:
        StageError: there is no such stage, or no run.
        StoreError: a run is going on in the directory.
    """
    recipe = context.config.recipe
    chosen = [stage_named(recipe, stage)] if stage else list(flow_of(recipe).stages)
    run = RunDirectory(context.config.output_dir)
    if not run.path.exists():
        raise StageError(f"There is no run in {run.path}; there is nothing to clear.")
    run.lock()
    try:
        for one in chosen:
            if (folder := run.folder(one.folder)).exists():
                shutil.rmtree(folder)
                show(f"cleared {one.folder}/")
        if replies:
            for path in run.path.glob(f"{REPLIES}*"):
                path.unlink()
            show(f"cleared {REPLIES}")
    finally:
        run.unlock()
