"""Chunks: true spans, full cover, every marker once, limits that hold, and sense in the cuts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.parsing import ChunkOptions, chunk_document
from synth_dspy.parsing.markers import MARKER, marker_ids
from synth_dspy.records import Chunk, Document
from tests.parsing.made import documents
from tests.parsing.samples import (
    b64,
    code_cell,
    markdown_cell,
    notebook,
    parsed,
    picture,
    prints,
    shows,
)

OPTIONS = st.builds(
    ChunkOptions,
    max_context_length=st.integers(64, 600),
    chunk_overlap=st.integers(0, 31),
    min_chunk_length=st.integers(0, 200),
    max_code_blocks_per_chunk=st.integers(1, 4),
    max_images_per_chunk=st.integers(1, 4),
    max_prior_code=st.integers(0, 200),
    max_surrounding=st.integers(0, 100),
)
PARAGRAPH = "Words that explain a thing at some length, so that it can be understood well. " * 3


@given(documents(), OPTIONS)
@settings(max_examples=300)
def test_spans_are_true_and_chunks_cover_the_text(
    document: Document, options: ChunkOptions
) -> None:
    chunks = chunk_document(document, options)
    covered = 0
    for chunk in chunks:
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert not document.text[covered : chunk.start].strip()
        assert chunk.end > covered
        covered = chunk.end
    assert not document.text[covered:].strip()


@given(documents(), OPTIONS)
@settings(max_examples=300)
def test_every_marker_is_in_one_chunk_with_its_image(
    document: Document, options: ChunkOptions
) -> None:
    chunks = chunk_document(document, options)
    assert [i for c in chunks for i in marker_ids(c.text)] == [i.id for i in document.images]
    assert [i for c in chunks for i in c.images] == list(document.images)
    assert not any(MARKER.search(c.previous_text + c.next_text) for c in chunks)
    assert not any("[IMAGE" in c.previous_text + c.next_text for c in chunks)


@given(documents(), OPTIONS)
@settings(max_examples=300)
def test_limits_hold(document: Document, options: ChunkOptions) -> None:
    for chunk in chunk_document(document, options):
        assert len(chunk.text) <= options.max_context_length
        assert len(chunk.images) <= options.max_images_per_chunk
        begun = [b for b in document.code_blocks if chunk.start <= b.start < chunk.end]
        assert len(begun) <= options.max_code_blocks_per_chunk
        assert len(chunk.prior_code) <= options.max_prior_code
        assert len(chunk.previous_text) <= options.max_surrounding
        assert len(chunk.next_text) <= options.max_surrounding


@given(documents(), OPTIONS)
def test_code_of_a_chunk_lies_in_it_and_none_is_lost(
    document: Document, options: ChunkOptions
) -> None:
    chunks = chunk_document(document, options)
    for chunk in chunks:
        assert all(chunk.start <= c.start <= c.end <= chunk.end for c in chunk.code_blocks)
    for block in document.code_blocks:
        parts = [
            c for chunk in chunks for c in chunk.code_blocks if block.start <= c.start < block.end
        ]
        whole = "".join("".join(part.code for part in parts).split())
        assert whole == "".join(block.code.split())


@given(documents(), OPTIONS)
def test_ids_are_unique_and_the_same_every_time(document: Document, options: ChunkOptions) -> None:
    once, again = chunk_document(document, options), chunk_document(document, options)
    assert once == again
    assert len({chunk.id for chunk in once}) == len(once)


def chunks_of(tmp_path: Path, source: str, **options: int) -> list[Chunk]:
    return chunk_document(parsed(tmp_path / "docs", "page.md", source), ChunkOptions(**options))


def test_a_document_without_text_has_no_chunks() -> None:
    assert chunk_document(Document("d", "p", "s", "md", "h", " \n"), ChunkOptions()) == []


def test_an_edit_changes_only_the_ids_of_the_chunks_it_touches(tmp_path: Path) -> None:
    sections = [f"# Part {n}\n\n{PARAGRAPH}{n}" for n in range(6)]
    before = chunks_of(tmp_path, "\n\n".join(sections))
    sections[2] += " Edited."
    after = chunks_of(tmp_path, "\n\n".join(sections))
    assert len(before) == len(after) == 6
    assert [a.id == b.id for a, b in zip(before, after, strict=True)].count(False) == 1


def test_a_page_is_cut_at_its_headings(tmp_path: Path) -> None:
    text = PARAGRAPH * 2
    source = f"# A\n\n{text}\n\n## B\n\n{text}\n\n## C\n\n{text}"
    chunks = chunks_of(tmp_path, source, max_context_length=700)
    assert [chunk.heading for chunk in chunks] == ["A", "A > B", "A > C"]
    assert all(chunk.text.startswith("#") for chunk in chunks)


def test_a_heading_is_never_left_at_the_end_of_a_chunk(tmp_path: Path) -> None:
    source = "\n\n".join(f"## H{n}\n\n{PARAGRAPH * (n % 3 + 1)}" for n in range(12))
    for chunk in chunks_of(tmp_path, source, max_context_length=900, chunk_overlap=0):
        assert not chunk.text.splitlines()[-1].startswith("#")


def test_a_code_cell_stays_with_its_prose_its_output_and_its_picture(tmp_path: Path) -> None:
    png = b64(picture())
    cells = []
    for number in range(6):
        cells += [
            markdown_cell(f"Step {number}. {PARAGRAPH}"),
            code_cell(f"plot({number})", prints(f"out{number}"), shows(image_png=png)),
        ]
    document = parsed(tmp_path / "docs", "a.ipynb", notebook(*cells))
    for chunk in chunk_document(document, ChunkOptions(max_context_length=500, chunk_overlap=0)):
        for number in range(6):
            held = [f"Step {number}." in chunk.text, f"plot({number})" in chunk.text,
                    f"out{number}" in chunk.text]  # fmt: skip
            assert len(set(held)) == 1
        assert len(chunk.images) == len(chunk.code_blocks)
        assert set(chunk.cells) == {i.cell for i in chunk.images} | {
            c - 1 for c in chunk.cells if c % 2
        }


def test_slides_are_chunks_of_their_own(tmp_path: Path) -> None:
    import pymupdf

    with pymupdf.open() as deck:
        for number in range(4):
            page = deck.new_page(width=720, height=405)
            page.insert_text((60, 80), f"Slide number {number}", fontsize=24)
            page.insert_textbox((60, 120, 660, 380), PARAGRAPH, fontsize=12)
        document = parsed(tmp_path / "docs", "a.pdf", deck.tobytes())
    chunks = chunk_document(document, ChunkOptions())
    assert [chunk.pages for chunk in chunks] == [(1,), (2,), (3,), (4,)]


def test_prior_code_is_what_came_before_newest_last(tmp_path: Path) -> None:
    blocks = [f"## S{n}\n\n{PARAGRAPH}\n\n```python\nx{n} = {n}\n```" for n in range(4)]
    blocks.insert(1, "```json\n{}\n```")
    chunks = chunks_of(tmp_path, "\n\n".join(blocks), max_prior_code=15)
    assert [chunk.prior_code for chunk in chunks] == [
        "", "x0 = 0", "x0 = 0\n\nx1 = 1", "x1 = 1\n\nx2 = 2",
    ]  # fmt: skip


def test_overlap_repeats_the_end_of_a_divided_section(tmp_path: Path) -> None:
    sentences = " ".join(f"Sentence number {n} says something." for n in range(60))
    chunks = chunks_of(tmp_path, f"# A\n\n{sentences}", max_context_length=500, chunk_overlap=80)
    assert len(chunks) > 4
    for one, two in pairwise(chunks):
        assert 0 < one.end - two.start <= 80
        assert two.text.startswith("Sentence")


def test_a_new_section_repeats_nothing(tmp_path: Path) -> None:
    chunks = chunks_of(tmp_path, f"# A\n\n{PARAGRAPH}\n\n# B\n\n{PARAGRAPH}", chunk_overlap=80)
    assert [chunk.text[:3] for chunk in chunks] == ["# A", "# B"]


def test_a_line_without_spaces_is_cut_all_the_same(tmp_path: Path) -> None:
    chunks = chunks_of(tmp_path, "x" * 10_000, max_context_length=1000)
    assert sum(len(chunk.text) for chunk in chunks) == 10_000


@pytest.mark.parametrize(
    ("source", "quality"),
    [
        (f"# Topic\n\n{PARAGRAPH * 3}", "HIGH"),
        (f"{PARAGRAPH}\n\n```python\nanswer = compute(1, 2)\n```", "HIGH"),
        (PARAGRAPH, "MEDIUM"),
        ("Too short.", "LOW"),
        ("- [Some page about it](https://example.org/some/long/path/to/a/page)\n" * 30, "LOW"),
        ("12 34 56 | 78 90 12 | aa bb\n" * 40, "LOW"),
    ],
)
def test_quality_is_told_by_what_can_be_asked_about(
    tmp_path: Path, source: str, quality: str
) -> None:
    assert chunks_of(tmp_path, source)[0].quality == quality


@pytest.mark.parametrize(
    "options",
    [{"max_context_length": 10}, {"chunk_overlap": -1}, {"chunk_overlap": 3000},
     {"max_images_per_chunk": 0}, {"max_code_blocks_per_chunk": 0}],
)  # fmt: skip
def test_limits_that_cannot_hold_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="|".join(options)):
        ChunkOptions(**options)
