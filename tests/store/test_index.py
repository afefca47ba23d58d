"""The index of a journal behaves as a dictionary whose last assignment wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.records import digest
from synth_dspy.store import index
from synth_dspy.store.index import OffsetIndex


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1 << 40))), st.integers(1, 9))
def test_it_is_a_dictionary(given_entries: list[tuple[int, int]], recent: int) -> None:
    found, expected = OffsetIndex(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "_RECENT", recent)
        for key, offset in given_entries:
            found[digest(key)] = offset
            expected[digest(key)] = offset
    assert len(found) == len(expected)
    for key in range(31):
        assert found.get(digest(key)) == expected.get(digest(key))
