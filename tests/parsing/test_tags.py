"""Tags of MDX and HTML: how deep the braces of an attribute may be."""

from __future__ import annotations

from synth_dspy.parsing.tags import MAX_DEPTH, read_tag


def nested(depth: int) -> str:
    return f"<Chart data={'{' * depth}1{'}' * depth}>"


def test_braces_are_read_down_to_a_depth() -> None:
    tag = read_tag(nested(MAX_DEPTH), 0)
    assert tag is not None
    assert tag.end == len(nested(MAX_DEPTH))


def test_deeper_ones_are_text() -> None:
    assert read_tag(nested(MAX_DEPTH + 1), 0) is None
