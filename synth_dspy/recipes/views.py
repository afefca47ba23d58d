"""Plain files beside the journals, for people and their scripts: samples, rejections, decisions.

A run directory enters, JSON lines leave. Everything is read off the journals of finished stages and
may be deleted: the next run writes it again, and nothing reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synth_dspy.outcomes import Dropped, Failed, Kept
from synth_dspy.records import Candidate, Sample, from_dict, to_dict
from synth_dspy.stages.analyze import rejection
from synth_dspy.stages.build import Build, sample_of
from synth_dspy.stages.chunks import FilterChunks
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.generate import (
    AnswerCandidates,
    Classify,
    Curate,
    FilterCandidates,
    WriteCandidates,
)
from synth_dspy.stages.images import FilterImages, Transcribe
from synth_dspy.stages.plan import TASKS
from synth_dspy.stages.results import keys_path, results
from synth_dspy.store.run_directory import RunDirectory, read_jsonl, write_jsonl

SAMPLES = "samples.jsonl"
REJECTED = "rejected_samples.jsonl"
FAILURES = "code_verification_failures.jsonl"
DECISIONS = "filter_decisions.jsonl"
IMAGE_DECISIONS = "image_filter_decisions.jsonl"

_GENERATE: tuple[type[Stage], ...] = (
    WriteCandidates, FilterCandidates, AnswerCandidates, Curate, Classify,
)  # fmt: skip
_NOT_REJECTIONS = ("not_possible", "over_quota", "not_planned")
_EXCERPT_CHARS = 400

Line = Mapping[str, Any]


def write_views(run: RunDirectory, stage: Stage) -> None:
    """Write what can be seen now that `stage` has concluded; a stage without a view writes none.

    Raises:
        StoreError: a file cannot be written.
    """
    for path, lines in _views(run, stage.name):
        write_jsonl(path, lines)


def _views(run: RunDirectory, name: str) -> Iterator[tuple[Path, Iterable[Line]]]:
    generated = run.folder(Classify.folder)
    if name == FilterImages.name and _has_run(run, Transcribe):
        yield run.folder(FilterImages.folder) / IMAGE_DECISIONS, _image_decisions(run)
    for stage, about in _DECIDING.items():
        if name == stage.name:
            yield run.folder(stage.folder) / DECISIONS, _decisions(run, stage, about)
    if name == AnswerCandidates.name:
        yield generated / FAILURES, _failures(run)
    if name == Classify.name:
        yield generated / SAMPLES, (_row(to_dict(s)) for s in _finished(run))
        yield generated / REJECTED, _rejected(run, _GENERATE)
    if name == Build.name:
        yield generated / SAMPLES, (_row(s) for s in _kept(run, Build))
        yield generated / REJECTED, _rejected(run, (*_GENERATE, Build))


def _has_run(run: RunDirectory, stage: type[Stage]) -> bool:
    return keys_path(run.folder(stage.folder), stage.journal).exists()


def _kept(run: RunDirectory, stage: type[Stage]) -> Iterator[dict[str, Any]]:
    for _, outcome, _ in results(run, stage):
        if isinstance(outcome, Kept):
            yield from outcome.outputs


def finished_samples(run: RunDirectory) -> list[Sample]:
    """Samples as they are before `build`, without splits: all that every stage accepted.

    Raises:
        StageError: `classify` has not run.
    """
    return list(_finished(run))


def _finished(run: RunDirectory) -> Iterator[Sample]:
    path = run.folder(WriteCandidates.folder) / TASKS
    ranks = {task["id"]: task["rank"] for task in _tasks(path)}
    for record in _kept(run, Classify):
        candidate = from_dict(Candidate, record)
        if candidate.task.id in ranks:
            yield sample_of(candidate, ranks[candidate.task.id])


def _tasks(path: Path) -> Iterator[Line]:
    return read_jsonl(path, ("id", "rank")) if path.exists() else iter(())


def _row(sample: dict[str, Any]) -> Line:
    checked = from_dict(Sample, sample)
    return {name: value for name, value in to_dict(checked).items() if name != "chunk_id"}


def _rejected(run: RunDirectory, stages: Iterable[type[Stage]]) -> Iterator[Line]:
    for stage in stages:
        if not _has_run(run, stage):
            continue
        for _, outcome, _ in results(run, stage):
            if isinstance(outcome, Dropped) and outcome.reason not in _NOT_REJECTIONS:
                yield asdict(rejection(stage.name, outcome))
            elif isinstance(outcome, Failed):
                yield {"stage": stage.name, "reason": outcome.reason, "detail": outcome.error}


def _failures(run: RunDirectory) -> Iterator[Line]:
    """Code whose verification failed for good; `errors` is every report, the last one last."""
    for _, outcome, _ in results(run, AnswerCandidates):
        record = outcome.record if isinstance(outcome, Dropped) else None
        if not isinstance(outcome, Dropped) or not record or not record.get("test_code"):
            continue
        yield {
            **asdict(rejection(AnswerCandidates.name, outcome)),
            "task": record["task"]["id"],
            "entry_point": record.get("entry_point", ""),
            "errors": record.get("errors") or [outcome.detail],
        }


def _about_chunk(record: Line) -> Line:
    return {
        "id": record.get("id", ""),
        "source": record.get("path", ""),
        "heading": record.get("heading", ""),
        "text": record.get("text", "")[:_EXCERPT_CHARS],
    }


def _about_candidate(record: Line) -> Line:
    return {
        "id": record.get("task", {}).get("id", ""),
        "source": record.get("chunk", {}).get("path", ""),
        "type": record.get("task", {}).get("type", ""),
        "question": record.get("question", ""),
    }


_DECIDING: dict[type[Stage], Callable[[Line], Line]] = {
    FilterChunks: _about_chunk,
    FilterCandidates: _about_candidate,
    Curate: _about_candidate,
}


def _decisions(
    run: RunDirectory, stage: type[Stage], about: Callable[[Line], Line]
) -> Iterator[Line]:
    for key, outcome, _ in results(run, stage):
        if isinstance(outcome, Kept):
            for record in outcome.outputs:
                yield {"decision": "kept", "reason": "", "detail": "", **about(record)}
        elif isinstance(outcome, Dropped):
            said = {"decision": "dropped", "reason": outcome.reason, "detail": outcome.detail}
            yield {**said, **about(outcome.record or {})}
        else:
            said = {"decision": "failed", "reason": outcome.reason, "detail": outcome.error}
            yield {**said, "id": key}


def _image_decisions(run: RunDirectory) -> Iterator[Line]:
    before = {document["id"]: document for document in _kept(run, Transcribe)}
    for document in _kept(run, FilterImages):
        earlier = before.get(document["id"], document)
        kept = {image["id"] for image in document["images"]}
        # What the filter took out stands after what the parser had dropped, in order.
        reasons = iter(document["dropped_images"][len(earlier["dropped_images"]) :])
        for image in earlier["images"]:
            dropped = image["id"] not in kept
            yield {
                "decision": "dropped" if dropped else "kept",
                "reason": next(reasons, {"reason": ""})["reason"] if dropped else "",
                "id": image["id"],
                "source": document["path"],
                "path": image["path"],
                "category": image["category"],
                "description": image["description"],
            }
