"""What a run of `conversations` found: pass rates, distributions, and what fell away.

Everything is read off the journals of finished stages; a run directory enters, plain data leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from synth_dspy.dataset.export_dialogues import metadata_of
from synth_dspy.dataset.show_conversations import show_conversation
from synth_dspy.dataset.shown import Shown
from synth_dspy.dialogues import Dialogue, FactChunk
from synth_dspy.outcomes import Dropped, Kept
from synth_dspy.programs.conversations import RUBRIC, VALIDATION
from synth_dspy.records import from_dict
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.conversations.cast import DISTRIBUTION, Cast
from synth_dspy.stages.conversations.converse import Converse
from synth_dspy.stages.conversations.dedup import DedupConversations
from synth_dspy.stages.conversations.extract_qa import ExtractQa, ProposeQa
from synth_dspy.stages.conversations.judge import JudgeConversations
from synth_dspy.stages.conversations.select import SelectConversations
from synth_dspy.stages.conversations.validate_qa import ValidateQa
from synth_dspy.stages.results import keys_path, results
from synth_dspy.store.run_directory import RunDirectory, read_json

_PAIRS = (ProposeQa, ExtractQa, ValidateQa)
_DIALOGUES = (JudgeConversations, DedupConversations, SelectConversations)


def shown(dialogue: Dialogue) -> Shown:
    """An accepted dialogue as the report shows it."""
    metadata = metadata_of(dialogue)
    return show_conversation(
        dialogue.id,
        metadata_messages(dialogue.messages),
        facets=_facets({**metadata, "split": dialogue.split}),
        metadata=metadata,
        source=dialogue.task.pairs[0].chunk.path,
    )


def metadata_messages(messages: Any) -> list[dict[str, str]]:
    """Messages as JSON objects."""
    return [{"role": m.role, "content": m.content} for m in messages]


def rejected(run: RunDirectory) -> list[Shown]:
    """Pairs and dialogues that fell away, and at which stage, and why."""
    return [*_rejected_pairs(run), *_rejected_dialogues(run)]


def pass_rates(run: RunDirectory) -> dict[str, dict[str, dict[str, int]]]:
    """By stage and criterion, for how many it held and of how many it was asked."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for stage, field, names in (
        (ValidateQa, "validation", VALIDATION),
        (JudgeConversations, "judgement", ("grounded", *RUBRIC)),
    ):
        held: Counter[str] = Counter()
        asked: Counter[str] = Counter()
        for record in records_of(run, stage):
            for name, value in ((record.get(field) or {}).get("criteria") or {}).items():
                asked[name] += 1
                held[name] += bool(value)
        found[stage.name] = {
            name: {"held": held[name], "asked": asked[name]} for name in names if asked[name]
        }
    return found


def distribution_of(run: RunDirectory) -> dict[str, Any]:
    """Asked and realised numbers of every dimension; empty before `converse`."""
    return read_json(run.folder(Cast.folder) / DISTRIBUTION) or {}


def has_run(run: RunDirectory, stage: type[Stage]) -> bool:
    """Whether a stage has left a result."""
    return keys_path(run.folder(stage.folder), stage.journal).exists()


def records_of(
    run: RunDirectory, stage: type[Stage], *, passed_only: bool = False
) -> Iterator[dict[str, Any]]:
    """A stage's records as JSON objects: what it put out and, unless `passed_only`, what it
    dropped; nothing before it has run."""
    for _, outcome, _ in results(run, stage) if has_run(run, stage) else ():
        if isinstance(outcome, Kept):
            yield from outcome.outputs
        elif isinstance(outcome, Dropped) and not passed_only and isinstance(outcome.record, dict):
            yield outcome.record


def _dropped(run: RunDirectory, stage: type[Stage]) -> Iterator[Dropped]:
    for _, outcome, _ in results(run, stage) if has_run(run, stage) else ():
        if isinstance(outcome, Dropped):
            yield outcome


def _rejected_pairs(run: RunDirectory) -> Iterator[Shown]:
    for stage in _PAIRS:
        for dropped in _dropped(run, stage):
            record = dropped.record or {}
            chunk = record.get("chunk") or record
            messages = [
                {"role": "user", "content": record.get("question") or chunk.get("text", "")},
                {"role": "assistant", "content": record.get("answer", "")},
            ]
            yield show_conversation(
                record.get("id", ""),
                [m for m in messages if m["content"]],
                facets={"type": "qa_pair", "topic": record.get("topic", "")},
                metadata={"fact": chunk.get("text", ""), "validation": record.get("validation")},
                source=chunk.get("path", ""),
                rejected=(stage.name, dropped.reason, dropped.detail),
            )


def _rejected_dialogues(run: RunDirectory) -> Iterator[Shown]:
    for dropped in _dropped(run, Converse):
        record = dropped.record or {}
        said = [
            {"role": role, "content": text}
            for exchange in record.get("dialogue", ())
            for role, text in zip(("user", "assistant"), exchange, strict=True)
        ]
        task = record.get("task") or {}
        yield _lost(Converse.name, dropped, task, said, {})
    for stage in _DIALOGUES:
        for dropped in _dropped(run, stage):
            record = dropped.record or {}
            said = list(record.get("messages", ()))
            yield _lost(stage.name, dropped, record.get("task") or {}, said, record)


def _lost(
    stage: str,
    dropped: Dropped,
    task: Mapping[str, Any],
    said: list[dict[str, str]],
    record: Mapping[str, Any],
) -> Shown:
    pairs = task.get("pairs") or [{}]
    facets = {**(task.get("traits") or {}), "topic": pairs[0].get("topic", "")}
    return show_conversation(
        record.get("id") or task.get("id", ""),
        said,
        facets=_facets(facets),
        metadata={
            "facts": [from_dict(FactChunk, one["chunk"]).context for one in pairs if one],
            "judgement": record.get("judgement"),
        },
        source=(pairs[0].get("chunk") or {}).get("path", ""),
        rejected=(stage, dropped.reason, dropped.detail),
    )  # fmt: skip


_FACETS = (
    "split", "persona", "topic", "style", "emotion", "modality", "variation", "turns", "difficulty",
)  # fmt: skip


def _facets(known: Mapping[str, Any]) -> dict[str, str]:
    facets = {name: str(known[name]) for name in _FACETS if known.get(name)}
    # Of a report, `modality` is about pictures.
    if "modality" in facets:
        facets["input modality"] = facets.pop("modality")
    return {"type": "conversation", **facets}
