"""Dialogues as files: every form can be read by what it is made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.dataset.export_dialogues import export_dialogues
from synth_dspy.errors import StoreError
from tests.dialogues import dialogue


def custom_json(path: Path) -> list[list[dict[str, str]]]:
    """The conversations of a file, by the rules of nanochat's CustomJSON task."""
    conversations = []
    for line in path.read_text().splitlines():
        messages = json.loads(line)
        assert isinstance(messages, list), "each line is an array"
        assert len(messages) >= 2
        for at, message in enumerate(messages):
            assert set(message) >= {"role", "content"}
            assert message["role"] == ("user" if at % 2 == 0 else "assistant")
            assert isinstance(message["content"], str)
        conversations.append(messages)
    return conversations


@pytest.fixture
def final(tmp_path: Path) -> Path:
    from dataclasses import replace

    said = ("Hi?", "Yes.", "And?", "No.")
    rows = [replace(dialogue(rank, *said), split="train" if rank else "test") for rank in range(3)]
    export_dialogues(rows[::-1], final=tmp_path / "final", card="# Card\n")
    return tmp_path / "final"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_nanochat_file_passes_the_checks_of_its_task(final: Path) -> None:
    assert len(custom_json(final / "chat" / "nanochat" / "train.jsonl")) == 2


def test_messages_begin_with_the_system_message(final: Path) -> None:
    first = lines(final / "chat" / "messages" / "train.jsonl")[0]["messages"]
    assert [m["role"] for m in first] == ["system", "user", "assistant", "user", "assistant"]


def test_sharegpt_names_its_speakers(final: Path) -> None:
    first = lines(final / "chat" / "sharegpt" / "test.jsonl")[0]["conversations"]
    assert [m["from"] for m in first] == ["system", "human", "gpt", "human", "gpt"]
    assert first[1]["value"] == "Hi?"


def test_the_dataset_opens_and_its_metadata_says_where_it_came_from(final: Path) -> None:
    from datasets import load_from_disk

    opened = load_from_disk(str(final))
    assert {split: len(rows) for split, rows in opened.items()} == {"train": 2, "test": 1}
    row = opened["train"][0]
    assert row["messages"][1] == {"role": "user", "content": "Hi?"}
    known = json.loads(row["metadata"])
    assert known["source"]["path"] == row["source"] == "shop.md"
    assert known["persona"] == "customer"


def test_the_order_of_dialogues_changes_no_byte(final: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    rows = [
        replace(dialogue(rank, "Hi?", "Yes.", "And?", "No."), split="train" if rank else "test")
        for rank in range(3)
    ]
    export_dialogues(rows, final=tmp_path / "again", card="# Card\n")
    for path in sorted((final / "data").glob("*.parquet")):
        assert path.read_bytes() == (tmp_path / "again" / "data" / path.name).read_bytes()


def test_a_dialogue_without_a_split_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Run select again"):
        export_dialogues([dialogue()], final=tmp_path / "final", card="")
    assert not (tmp_path / "final").exists()
