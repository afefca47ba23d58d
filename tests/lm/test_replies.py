"""The reply store: what was paid for is never lost, and never holds a secret."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.errors import StoreError
from synth_dspy.lm.replies import Reply, ReplyStore, reply_key

if TYPE_CHECKING:
    from pathlib import Path

KEY = reply_key("answer", "m", b"{}", sample=0, attempt=0)
REPLY = Reply("Yes.", "stop", 100, 20, 0.25)


def put(store: ReplyStore, key: bytes, reply: Reply = REPLY) -> Reply:
    return store.put(key, reply, endpoint="answer", model="m")


def test_a_reply_comes_back_as_it_was_put(store: ReplyStore) -> None:
    assert store.get(KEY) is None
    assert put(store, KEY) == REPLY
    assert store.get(KEY) == REPLY


def test_a_reply_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = ReplyStore(tmp_path / "r.sqlite")
    put(first, KEY)
    # Opened while the first still is, and without its close: as after a kill.
    second = ReplyStore(tmp_path / "r.sqlite")
    assert second.get(KEY) == REPLY
    first.close()
    second.close()


def test_of_two_replies_to_one_request_the_first_is_used_and_both_are_counted(
    tmp_path: Path,
) -> None:
    one, two = ReplyStore(tmp_path / "r.sqlite"), ReplyStore(tmp_path / "r.sqlite")
    put(one, KEY)
    late = Reply("No.", "stop", 100, 30, 0.5)
    assert put(two, KEY, late) == REPLY
    assert one.totals() == (2, 200, 50, 0.75)
    one.close()
    two.close()


def test_totals_sum_over_runs(tmp_path: Path) -> None:
    for number in range(3):
        store = ReplyStore(tmp_path / "r.sqlite")
        put(store, b"%16d" % number)
        store.close()
    store = ReplyStore(tmp_path / "r.sqlite")
    assert store.totals() == (3, 300, 60, 0.75)
    store.close()


def test_rotating_keeps_the_old_file_and_starts_an_empty_one(store: ReplyStore) -> None:
    put(store, KEY)
    aside = store.rotate()
    assert store.get(KEY) is None
    assert store.totals().calls == 0
    old = ReplyStore(aside)
    assert old.get(KEY) == REPLY
    old.close()


def test_rotating_twice_overwrites_nothing(store: ReplyStore) -> None:
    put(store, KEY)
    assert store.rotate() != store.rotate()


@given(
    one=st.tuples(st.text(max_size=3), st.text(max_size=3), st.binary(max_size=3)),
    two=st.tuples(st.text(max_size=3), st.text(max_size=3), st.binary(max_size=3)),
    numbers=st.tuples(*[st.integers(0, 2)] * 4),
)
def test_keys_are_equal_only_when_every_part_is(
    one: tuple[str, str, bytes], two: tuple[str, str, bytes], numbers: tuple[int, int, int, int]
) -> None:
    a, b, c, d = numbers
    first, second = reply_key(*one, sample=a, attempt=b), reply_key(*two, sample=c, attempt=d)
    assert (first == second) == ((one, a, b) == (two, c, d))


def test_a_file_that_is_no_store_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    path.write_text("not a database, but long enough to be looked at " * 30)
    with pytest.raises(StoreError, match="move it away"):
        ReplyStore(path)


def test_a_closed_store_is_an_error_of_ours(tmp_path: Path) -> None:
    store = ReplyStore(tmp_path / "r.sqlite")
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.get(KEY)


def test_the_file_has_columns_for_no_prompt_and_no_header(store: ReplyStore) -> None:
    db = sqlite3.connect(store.path)
    columns = {row[1] for row in db.execute("PRAGMA table_info(replies)")}
    db.close()
    assert columns == {
        "key", "endpoint", "model", "text", "finish_reason", "input_tokens", "output_tokens",
        "cost_usd", "created",
    }  # fmt: skip
