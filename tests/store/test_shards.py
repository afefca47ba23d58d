"""Shards: what workers finished is in the journal of whoever opens it next, once, whatever died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synth_dspy.store.shards as shards_module
from synth_dspy.errors import StoreError
from synth_dspy.outcomes import Kept
from synth_dspy.store.journal import Journal
from synth_dspy.store.shards import Shard, absorb, discard, gather, shards_of


def key(number: int) -> str:
    return f"{number:016x}" * 2


def outcome(number: int) -> Kept[int]:
    return Kept((number,))


def write(journal: Path, worker: str, numbers: list[int]) -> Path:
    shard = Shard(journal, worker)
    for number in numbers:
        shard.journal.append(key(number), outcome(number), {})
    shard.close()
    return shard.path


def finished(path: Path, numbers: list[int]) -> list[object]:
    journal = Journal(path)
    entries = [journal.get(key(number)) for number in numbers]
    journal.close()
    return [entry.outcome if entry else None for entry in entries]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_what_every_worker_finished_is_in_the_journal(path: Path) -> None:
    write(path, "0", [1, 2])
    write(path, "1", [3])
    gather(path)
    assert finished(path, [1, 2, 3]) == [outcome(1), outcome(2), outcome(3)]


def test_merged_shards_are_gone(path: Path) -> None:
    write(path, "0", [1])
    gather(path)
    assert shards_of(path) == []


def test_a_journal_without_shards_is_not_made(path: Path) -> None:
    gather(path)
    assert not path.exists()


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), numbers=st.lists(st.integers(1, 9), min_size=1, unique=True))
def test_a_shard_cut_anywhere_gives_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int, numbers: list[int]
) -> None:
    path = tmp_path_factory.mktemp("cut") / "journal.jsonl"
    shard = write(path, "0", numbers)
    data = shard.read_bytes()[:cut]
    shard.write_bytes(data)
    whole = numbers[: data.count(b"\n")]
    journal = Journal(path)
    absorb(journal)
    journal.append(key(10), outcome(10), {})
    journal.close()
    expected = [outcome(n) if n in whole else None for n in numbers]
    assert finished(path, [*numbers, 10]) == [*expected, outcome(10)]


def test_a_merge_that_was_cut_off_is_done_again(path: Path) -> None:
    shard = write(path, "0", [1, 2])
    path.write_bytes(shard.read_bytes()[:-5])
    gather(path)
    assert finished(path, [1, 2]) == [outcome(1), outcome(2)]


def test_a_worker_finds_what_the_one_before_it_had_finished(path: Path) -> None:
    write(path, "0", [1])
    again = Shard(path, "0")
    known = again.journal.get(key(1))
    again.close()
    assert known is not None


def test_a_shard_that_is_being_written_is_not_merged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards_module, "_PATIENCE_S", 0.1)
    code = (
        "import sys, time; from pathlib import Path; from synth_dspy.store.shards import Shard\n"
        f"shard = Shard(Path({str(path)!r}), '0'); print('open', flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="still being written by a worker"):
            gather(path)
    finally:
        writer.kill()
        writer.communicate()
    gather(path)
    assert shards_of(path) == []


def test_shards_of_a_journal_that_is_not_wanted_are_deleted_unread(path: Path) -> None:
    write(path, "0", [1])
    discard(path)
    gather(path)
    assert (shards_of(path), path.exists()) == ([], False)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        Shard(tmp_path / "file" / "journal.jsonl", "0")
