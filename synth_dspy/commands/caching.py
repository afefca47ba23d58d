"""cache-info and cache-clear: what is stored in a run directory, and how to be rid of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.commands.context import Context, print_json_lines, show
from synth_dspy.errors import StageError
from synth_dspy.recipes.registry import flow_of, stage_named
from synth_dspy.recipes.resources import REPLIES
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.results import keys_path, read_keys, summary_path
from synth_dspy.store.run_directory import RunDirectory

PRODUCTS = ("final", "analysis")
"""Folders that people look at: not work to be reused, so not cleared unasked."""


def show_cache(context: Context, *, json_lines: bool) -> None:
    """Print a stage a line: entries, bytes and when it was last written; then the replies, those
    that `--no-cache` put aside, and each source with when it was last processed.

    As JSON, the sources are in the line of the first stage.
    """
    run = context.run
    stages = flow_of(context.config.recipe).stages
    lines = [_describe(stage.name, run.folder(stage.folder)) for stage in stages]
    sources = lines[0]["sources"] = _sources(run, stages[0])
    lines = [line for line in lines if line["bytes"]]
    for name, path in _replies(run, context.config.replies.path):
        lines.append({"stage": name, "entries": None, **_file(path)})
    if json_lines:
        print_json_lines(lines)
        return
    for line in lines:
        entries = "" if line["entries"] is None else f"{line['entries']} entries"
        size = f"{line['bytes'] / 1e6:.2f} MB"
        show(f"{line['stage']:<20}{entries:>16}{size:>13}{_age(line['written']):>16}")
    for line in sources:
        files = f"{line['files']} files"
        show(f"source {line['source']:<29}{files:>13}{_age(line['processed']):>16}")
    if any(line["stage"].startswith("replies.") for line in lines):
        show("replies.N were put aside by --no-cache; `cache-clear --replies` deletes them, too")
    if not lines:
        show(f"nothing is stored in {run.path}")


def _replies(run: RunDirectory, shared: str | None) -> Iterator[tuple[str, Path]]:
    """The files of replies and what they are called: the run's, those that were put aside, those of
    `compile` and `gold calibrate`, and the one that runs share."""
    for path in _reply_files(run):
        if not path.name.endswith(("-wal", "-shm")):
            name = path.relative_to(run.path).as_posix().replace(REPLIES, "replies")
            yield name, path
    if shared and Path(shared).exists():
        yield f"shared {shared}", Path(shared)


def _reply_files(run: RunDirectory) -> list[Path]:
    """All of the run's, in its directory and in folders there; a run within it has its own."""
    own = sorted(run.path.glob(f"{REPLIES}*"))
    below = sorted(run.path.glob(f"*/{REPLIES}*"))
    return own + [path for path in below if not (path.parent / "run.json").exists()]


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


def _file(path: Path) -> dict[str, Any]:
    found = path.stat()
    return {"bytes": found.st_size, "written": found.st_mtime}


def _age(written: float) -> str:
    minutes = max(0.0, time.time() - written) / 60
    if minutes < 120:
        return f"{minutes:.0f} min old"
    if minutes < 48 * 60:
        return f"{minutes / 60:.0f} h old"
    return f"{minutes / 1440:.0f} days old"


def _sources(run: RunDirectory, first: type[Stage]) -> list[dict[str, Any]]:
    """By source: how many of its records the first stage holds, and when the last was finished."""
    found: dict[str, dict[str, Any]] = {}
    for source, finished in _finished(run.folder(first.folder), first):
        line = found.setdefault(source, {"source": source, "files": 0, "processed": 0.0})
        line["files"] += 1
        line["processed"] = max(line["processed"], finished)
    return [found[source] for source in sorted(found)]


def _finished(folder: Path, stage: type[Stage]) -> Iterator[tuple[str, float]]:
    """The source of each record that is in the stage's present result, and when it was done."""
    journal, keys = folder / stage.journal, keys_path(folder, stage.journal)
    if not journal.exists() or not keys.exists():
        return
    present, written = set(read_keys(keys)), journal.stat().st_mtime
    last: dict[str, tuple[str, float]] = {}
    with journal.open("rb") as file:
        for text in file:
            try:
                line = orjson.loads(text)
            except orjson.JSONDecodeError:
                continue  # torn by a kill; the next run cuts it off
            if isinstance(line, dict) and line.get("key") in present:
                source = _source_of(line)
                if source:
                    last[line["key"]] = (source, line["meta"].get("finished", written))
    yield from last.values()


def _source_of(line: dict[str, Any]) -> str:
    outputs = line.get("outputs") or [{}]
    record = outputs[0] if isinstance(outputs[0], dict) else {}
    return str(record.get("source", ""))


def clear_cache(context: Context, *, stage: str, replies: bool, everything: bool = False) -> None:
    """Delete finished work of one stage, or of all; what people look at, and the replies, only
    when asked for.

    Raises:
        StageError: there is no such stage, or no run.
        StoreError: a run is going on in the directory.
    """
    recipe = context.config.recipe
    chosen = [stage_named(recipe, stage)] if stage else list(flow_of(recipe).stages)
    run = RunDirectory(context.config.output_dir)
    if not run.path.exists():
        raise StageError(f"There is no run in {run.path}; there is nothing to clear.")
    run.lock(needs_room=False)  # clearing is how one makes room
    try:
        for one in chosen:
            if one.folder in PRODUCTS and not (stage or everything):
                if run.folder(one.folder).exists():
                    show(f"kept {one.folder}/ (--all clears it, too)")
            elif clear(run, one, products=True):
                show(f"cleared {one.folder}/")
        if replies:
            for path in _reply_files(run):
                path.unlink()
            show(f"cleared {REPLIES}")
            shared = context.config.replies.path
            if shared and Path(shared).exists():
                show(f"kept {shared}: other runs may share it; delete it when none does")
    finally:
        run.unlock()


def clear(run: RunDirectory, stage: type[Stage], *, products: bool) -> bool:
    """Delete a stage's finished work; whether there was any.

    Args:
        products: of `final/` and `analysis/`, also what people look at; without it only what a run
            would take up again, so that the dataset stays until another one is there.
    """
    folder = run.folder(stage.folder)
    if not folder.exists():
        return False
    if products or stage.folder not in PRODUCTS:
        shutil.rmtree(folder)
        return True
    found = (
        folder / stage.journal,
        keys_path(folder, stage.journal),
        summary_path(folder, stage),
        folder / f".{stage.name}.json",
    )
    for path in found:
        path.unlink(missing_ok=True)
    return True
