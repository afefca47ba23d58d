"""Dialogues on disk: a Hugging Face dataset with its card, and the forms of chat fine-tuning.

Dialogues with their splits enter, the folder `final` leaves, whole or not at all.

    data/<split>-00000-of-00001.parquet   the rows: messages, source, metadata
    <split>/                              the same as Arrow
    jsonl/<split>.jsonl                   the same as JSON lines
    chat/<form>/<split>.jsonl             as messages, nanochat and sharegpt have them
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.dataset.dialogue_forms import FORMS
from synth_dspy.dataset.folder import replacing
from synth_dspy.dataset.split import SPLITS
from synth_dspy.dataset.tables import write_tables
from synth_dspy.dialogues import Dialogue, Message
from synth_dspy.errors import StoreError
from synth_dspy.records import to_dict

COLUMNS = {
    "messages": "the dialogue: objects with `role` (system, user, assistant) and `content`",
    "source": "relative path of the facts file",
    "metadata": "JSON: persona, style, emotion, modality, variation, turns, topic, the facts and "
    "pairs it rests on, the judge's verdict, why it was selected, models",
}
_BATCH = 2_048


def metadata_of(dialogue: Dialogue) -> dict[str, Any]:
    """Where a dialogue came from, how it was judged and why it was taken."""
    task, chunk = dialogue.task, dialogue.task.pairs[0].chunk
    return {
        "id": dialogue.id,
        **to_dict(task.traits),
        "topic": task.topic,
        "difficulty": task.pairs[0].difficulty,
        "source": {
            "path": chunk.path, "name": chunk.source, "sha256": chunk.sha256, "line": chunk.line,
            "heading": chunk.heading,
        },
        "facts": list(dict.fromkeys(pair.fact for pair in task.pairs)),
        "qa_pairs": [
            {"question": pair.question, "answer": pair.answer, "difficulty": pair.difficulty}
            for pair in task.pairs
        ],
        "steps": {name: to_dict(step) for name, step in sorted(dialogue.steps.items())},
        "judgement": to_dict(dialogue.judgement) if dialogue.judgement else None,
        "embedding_model": dialogue.embedded.model if dialogue.embedded else "",
        "selection": to_dict(dialogue.selection) if dialogue.selection else None,
    }  # fmt: skip


def export_dialogues(dialogues: Sequence[Dialogue], *, final: Path, card: str) -> dict[str, int]:
    """Write `dialogues` to the folder `final`, in place of what was there; rows by split.

    Rows are ordered by rank, so equal dialogues give equal Parquet bytes whatever their order.

    Raises:
        StoreError: a dialogue has no split, or the disk is full.
    """
    by_split = _by_split(dialogues)
    with replacing(final) as part:
        write_tables(part, features(), {split: _batches(rows) for split, rows in by_split.items()})
        for split, rows in by_split.items():
            _lines(part / "jsonl" / f"{split}.jsonl", rows, row)
            for form, shape in FORMS.items():
                _lines(part / "chat" / form / f"{split}.jsonl", rows, _spoken(shape))
        (part / "README.md").write_text(card, encoding="utf-8")
    return {split: len(rows) for split, rows in by_split.items()}


def row(dialogue: Dialogue) -> dict[str, Any]:
    """A row of the dataset, its metadata as an object."""
    return {
        "messages": [to_dict(message) for message in dialogue.messages],
        "source": dialogue.task.pairs[0].chunk.path,
        "metadata": metadata_of(dialogue),
    }


def features() -> Any:
    """The columns' types, as `datasets` names them."""
    from datasets import Features, List, Value

    message = {"role": Value("string"), "content": Value("string")}
    return Features(
        {"messages": List(message), "source": Value("string"), "metadata": Value("string")}
    )


def _by_split(dialogues: Sequence[Dialogue]) -> dict[str, list[Dialogue]]:
    found: dict[str, list[Dialogue]] = {split: [] for split in SPLITS}
    for one in sorted(dialogues, key=lambda d: (d.task.rank, d.id)):
        if one.split not in found:
            raise StoreError(
                f"Dialogue {one.id} has the split {one.split!r}; it must be one of "
                f"{', '.join(SPLITS)}. Run select again."
            )
        found[one.split].append(one)
    return {split: rows for split, rows in found.items() if rows}


def _batches(rows: Sequence[Dialogue]) -> Iterator[dict[str, list[Any]]]:
    for start in range(0, len(rows), _BATCH):
        made = [row(one) for one in rows[start : start + _BATCH]]
        yield {
            "messages": [one["messages"] for one in made],
            "source": [one["source"] for one in made],
            "metadata": [
                orjson.dumps(one["metadata"], option=orjson.OPT_SORT_KEYS).decode() for one in made
            ],
        }


def _spoken(shape: Callable[[Sequence[Message]], Any]) -> Callable[[Dialogue], Any]:
    return lambda dialogue: shape(dialogue.messages)


def _lines(path: Path, rows: Sequence[Dialogue], shape: Callable[[Dialogue], Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(orjson.dumps(shape(one), option=orjson.OPT_APPEND_NEWLINE) for one in rows)
