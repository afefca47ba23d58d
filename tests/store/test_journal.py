"""The journal: what was finished is never lost, whatever byte a crash happens at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.errors import StoreError
from synth_dspy.outcomes import Dropped, Failed, Kept, Outcome
from synth_dspy.records import digest
from synth_dspy.store.journal import Journal, Syncer, replace

KEY, OTHER = digest("key"), digest("other")


def test_an_outcome_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    outcomes: list[Outcome] = [
        Kept(({"text": "a\nb"}, {"text": "c"})),
        Dropped("weak_test", "two mutants survive", {"question": "?"}),
        Failed("timeout", "after 60 s", retryable=True),
    ]
    journal = Journal(tmp_path / "journal.jsonl")
    for number, outcome in enumerate(outcomes):
        journal.append(digest(number), outcome, {"seconds": number})
    journal.close()
    again = Journal(tmp_path / "journal.jsonl")
    for number, outcome in enumerate(outcomes):
        entry = again.get(digest(number))
        assert entry is not None
        assert (entry.outcome, entry.meta) == (outcome, {"seconds": number})


def test_the_last_line_of_a_key_wins(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(KEY, Failed("timeout", retryable=True), {})
    journal.append(KEY, Kept(({"n": 1},)), {})
    assert len(journal) == 1
    entry = Journal(tmp_path / "journal.jsonl").get(KEY)
    assert entry is not None
    assert entry.outcome == Kept(({"n": 1},))


@given(st.data())
def test_a_crash_at_any_byte_costs_the_torn_line_only(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    ends = []
    for number in range(4):
        journal.append(digest(number), Kept(({"n": number, "text": "x" * number},)), {})
        ends.append(path.stat().st_size)
    journal.close()
    cut = data.draw(st.integers(0, ends[-1]))
    with path.open("r+b") as file:
        file.truncate(cut)
    again = Journal(path)
    whole = [number for number, end in enumerate(ends) if end <= cut]
    assert [n for n in range(4) if digest(n) in again] == whole
    again.append(OTHER, Kept(({"n": "new"},)), {})
    again.close()
    last = Journal(path)
    assert last.get(OTHER) is not None
    assert [n for n in range(4) if last.get(digest(n)) is not None] == whole


def test_a_line_without_a_key_is_named_with_its_place_and_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"not": "a journal"}\n')
    with pytest.raises(StoreError, match=r"journal\.jsonl is damaged in line 1 .*--no-cache"):
        Journal(path)


def test_a_damaged_line_is_named_by_its_number_when_it_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(OTHER, Kept(()), {})
    journal.append(KEY, Kept(({"n": 1},)), {})
    journal.close()
    whole = journal.path.read_text()
    journal.path.write_text(whole.replace('"outputs":[{"n":1}]', '"outputs":[{"n":1'))
    with pytest.raises(StoreError, match=r"damaged in line 2 .*Delete that line"):
        Journal(journal.path).get(KEY)


def test_a_journal_that_cannot_be_opened_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(StoreError, match=r"cannot be opened"):
        Journal(tmp_path / "journal.jsonl")


def test_a_journal_that_is_replaced_is_kept_aside(tmp_path: Path) -> None:
    path, new = tmp_path / "journal.jsonl", tmp_path / "journal.jsonl.new"
    for place, key in ((path, KEY), (new, OTHER)):
        journal = Journal(place)
        journal.append(key, Kept(()), {})
        journal.close()
    aside = replace(path, new)
    assert Journal(aside).get(KEY) is not None
    assert Journal(path).get(OTHER) is not None
    assert Journal(path).get(KEY) is None
    assert not new.exists()


def test_closing_the_syncer_closes_its_journals(tmp_path: Path) -> None:
    syncer = Syncer(interval_s=0.01)
    journal = Journal(tmp_path / "journal.jsonl")
    syncer.watch(journal)
    journal.append(KEY, Kept(()), {})
    syncer.close()
    with pytest.raises(StoreError, match="cannot be written"):
        journal.append(OTHER, Kept(()), {})


def test_a_line_that_was_written_in_part_is_cut_off_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(KEY, Kept(({"n": 1},)), {})
    whole, write = (tmp_path / "journal.jsonl").read_bytes(), os.write
    monkeypatch.setattr("synth_dspy.store.journal.os.write", lambda fd, data: write(fd, data[:9]))
    with pytest.raises(StoreError, match=r"journal\.jsonl cannot be written: No space left"):
        journal.append(OTHER, Kept(({"n": 2},)), {})
    assert (tmp_path / "journal.jsonl").read_bytes() == whole
