"""Plain files beside the journals of `conversations`, under the names that its users know.

Written when a stage has concluded; they may be deleted, and nothing reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from synth_dspy.dataset.embedding import Embed
from synth_dspy.dialogues import FactChunk
from synth_dspy.recipes.conversations_findings import records_of
from synth_dspy.records import from_dict
from synth_dspy.stages.contract import Stage
from synth_dspy.stages.conversations.converse import Converse
from synth_dspy.stages.conversations.dedup import DedupConversations
from synth_dspy.stages.conversations.embed import EmbedConversations
from synth_dspy.stages.conversations.extract_qa import ExtractQa
from synth_dspy.stages.conversations.judge import JudgeConversations
from synth_dspy.stages.conversations.select import SelectConversations
from synth_dspy.stages.conversations.validate_qa import ValidateQa
from synth_dspy.store.run_directory import RunDirectory, write_jsonl

_BATCH = 256
_DIGITS = 6
Line = Mapping[str, Any]


def write_views(run: RunDirectory, stage: Stage, embed: Embed) -> None:
    """Write what can be seen now that `stage` has concluded; a stage without a view writes none.

    Args:
        embed: gives the vectors that `embed` has stored.

    Raises:
        StoreError: a file cannot be written.
    """
    folder = run.folder(stage.folder)
    if stage.name == ValidateQa.name:
        write_jsonl(folder / "qa_pairs_validated.jsonl", map(_pair, records_of(run, ValidateQa)))
        passed = records_of(run, ValidateQa, passed_only=True)
        write_jsonl(folder / "qa_pairs_validated_passed.jsonl", map(_pair, passed))
    elif stage.name == JudgeConversations.name:
        write_jsonl(
            folder / "conversations_judged.jsonl", map(_judged, records_of(run, type(stage)))
        )
    elif stage.name == EmbedConversations.name:
        write_jsonl(folder / "conversations_embedded.jsonl", _embedded(run, embed))
    elif stage.name in _PLAIN:
        file, shape = _PLAIN[stage.name]
        write_jsonl(folder / file, map(shape, records_of(run, type(stage), passed_only=True)))


def _pair(record: Line) -> Line:
    chunk, verdict = record["chunk"], record["validation"]
    told = {
        "id": record["id"],
        "question": record["question"],
        "answer": record["answer"],
        "difficulty": record["difficulty"],
        "topic": record["topic"],
        "source_fact": _context(chunk),
        "heading": chunk["heading"],
        "source": chunk["path"],
        "line": chunk["line"],
    }
    if verdict is None:
        return told
    judged = {**verdict["criteria"], "passed": verdict["passed"], "feedback": verdict["reason"]}
    return {**told, "validation": judged}


def _context(chunk: Line) -> str:
    return from_dict(FactChunk, chunk).context


def _dialogue(record: Line) -> dict[str, Any]:
    task = record["task"]
    return {
        "id": record["id"],
        "messages": record["messages"],
        **task["traits"],
        "topic": task["pairs"][0]["topic"],
        "source_facts": list(dict.fromkeys(_context(pair["chunk"]) for pair in task["pairs"])),
        "qa_pairs": [pair["id"] for pair in task["pairs"]],
    }


def _judged(record: Line) -> Line:
    verdict = record["judgement"]
    told = {**verdict["criteria"], "passed": verdict["passed"], "feedback": verdict["reason"]}
    return {**_dialogue(record), "judgement": told}


def _final(record: Line) -> Line:
    return {**_judged(record), "selection": record["selection"], "split": record["split"]}


def _embedded(run: RunDirectory, embed: Embed) -> Iterator[Line]:
    waiting: list[dict[str, Any]] = []
    for record in records_of(run, EmbedConversations):
        waiting.append(record)
        if len(waiting) == _BATCH:
            yield from _with_vectors(waiting, embed)
            waiting = []
    if waiting:
        yield from _with_vectors(waiting, embed)


def _with_vectors(records: list[dict[str, Any]], embed: Embed) -> Iterator[Line]:
    texts = [
        "\n".join(f"{m['role']}: {m['content']}" for m in r["messages"] if m["role"] != "system")
        for r in records
    ]
    for record, vector in zip(records, embed(texts), strict=True):
        rounded = [round(float(value), _DIGITS) for value in vector]
        model = record["embedded"]["model"]
        yield {**_judged(record), "embedding_model": model, "embedding": rounded}


_PLAIN: dict[str, tuple[str, Callable[[Line], Line]]] = {
    ExtractQa.name: ("qa_pairs.jsonl", _pair),
    Converse.name: ("conversations_raw.jsonl", _dialogue),
    DedupConversations.name: ("conversations_deduplicated.jsonl", _judged),
    SelectConversations.name: ("conversations_final.jsonl", _final),
}
