"""Markers leave the text without a trace, and every span follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.parsing.markers import MARKER, defused, marker, marker_ids, without_images
from synth_dspy.records import Document
from tests.parsing.made import documents


@given(documents(), st.data())
def test_only_the_named_images_leave(document: Document, data: st.DataObject) -> None:
    ids = [image.id for image in document.images]
    gone = set(data.draw(st.lists(st.sampled_from(ids)))) if ids else set()
    left = without_images(document, gone)
    assert marker_ids(left.text) == [i for i in ids if i not in gone]
    assert [image.id for image in left.images] == [i for i in ids if i not in gone]


@given(documents(), st.data())
def test_spans_still_index_what_they_did(document: Document, data: st.DataObject) -> None:
    ids = [image.id for image in document.images]
    gone = set(data.draw(st.lists(st.sampled_from(ids)))) if ids else set()
    left = without_images(document, gone)

    def solid(text: str) -> str:
        kept = MARKER.sub(lambda found: "" if found[1] in gone else found[0], text)
        return "".join(kept.split())

    before = [solid(document.text[b.start : b.end]) for b in document.blocks]
    after = [solid(left.text[b.start : b.end]) for b in left.blocks]
    assert after == [text for text in before if text]
    assert [left.text[c.start : c.end] for c in left.code_blocks] == [
        document.text[c.start : c.end] for c in document.code_blocks
    ]


@given(documents())
def test_removing_nothing_changes_nothing(document: Document) -> None:
    assert without_images(document, ()) == document


@given(documents())
def test_nothing_but_markers_and_white_space_is_lost(document: Document) -> None:
    left = without_images(document, {image.id for image in document.images})
    assert "".join(left.text.split()) == "".join(MARKER.sub("", document.text).split())


def test_a_marker_alone_takes_its_empty_line_with_it() -> None:
    text = f"One.\n\n{marker('a' * 16)}\n\nTwo {marker('b' * 16)} three."
    document = Document("d", "p", "s", "md", "h", text)
    assert without_images(document, {"a" * 16, "b" * 16}).text == "One.\n\nTwo three."


@given(st.text())
def test_no_text_of_an_author_is_a_marker(text: str) -> None:
    assert marker_ids(defused(text + marker("0" * 16))) == []
