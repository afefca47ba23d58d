"""Inline Markdown: what an image names, and where a code span ends."""

from __future__ import annotations

import pytest

from synth_dspy.parsing.inline import InlineImage, code_span_end, image_at, matching_brackets


def read(text: str, **definitions: str) -> InlineImage | None:
    return image_at(text, text.index("!["), matching_brackets(text), definitions)


@pytest.mark.parametrize(
    ("text", "ref", "title"),
    [
        ("![a](b.png)", "b.png", ""),
        ("![a](<b c.png> 'T')", "b c.png", "T"),
        ("![a](b_(1).png)", "b_(1).png", ""),
        ("![a](b c.png)", "b c.png", ""),
        ("![a [b] c](d.png)", "d.png", ""),
        ("![a][Pic]", "p.png", ""),
        ("![ PIC ][]", "p.png", ""),
        ("![pic]", "p.png", ""),
    ],
)
def test_an_image_names_its_target(text: str, ref: str, title: str) -> None:
    found = read(text, pic="p.png")
    assert found is not None
    assert (found.ref, found.title, found.end) == (ref, title, len(text))


@pytest.mark.parametrize("text", ["![a", "![a]", "![a](", "![a][none]", "![a]()"])
def test_what_names_no_target_is_no_image(text: str) -> None:
    assert read(text) is None


def test_attributes_after_an_image_belong_to_it() -> None:
    found = read("![a](b.png){ width=30 } text")
    assert found is not None
    assert found.end == len("![a](b.png){ width=30 }")


@pytest.mark.parametrize(
    ("text", "end"), [("`a` b", 3), ("``a`b`` c", 7), ("`a\n\nb`", 1), ("`a``b", 1)]
)
def test_a_code_span_ends_with_as_many_ticks_in_its_paragraph(text: str, end: int) -> None:
    ticks = text[: len(text) - len(text.lstrip("`"))]
    assert code_span_end(text, 0, ticks) == end
