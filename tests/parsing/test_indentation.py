"""Indentation: what of it makes code, and what goes with the tags."""

from __future__ import annotations

import pytest

from synth_dspy.parsing.indentation import TAG, code_spans, dedented


def code(text: str) -> list[str]:
    return [text[start:end] for start, end in code_spans(text)]


def test_a_block_of_four_spaces_after_an_empty_line_is_code() -> None:
    assert code("text\n\n    x = 1\n    y = 2\n\ntext\n") == ["    x = 1\n    y = 2\n"]


@pytest.mark.parametrize("before", ["- item", "1. item", "!!! note", "<div>", "[^1]: note", "  x"])
def test_what_belongs_to_a_list_an_admonition_or_a_tag_is_no_code(before: str) -> None:
    assert code(f"{before}\n\n    more of it\n") == []


def test_lines_below_a_tag_lose_their_indentation_up_to_an_empty_line() -> None:
    assert dedented(f"{TAG}\n    a\n\n    b") == "\na\n\n    b"
