"""Facts files: what a chunk is, its context, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.errors import SourceError
from synth_dspy.records import SourceFile
from synth_dspy.sources.facts import ChunkRules, fact_chunks, read_facts

SHOP = """---
title: Not a fact at all, this is front matter
---
# Shop

## Delivery
- Delivery takes two days and costs little.
- Islands take three days
  longer than that.

```
this is code and not a fact
```

## Tents
A tent must be dried before storage.

| Tent | Weight |
| :--- | -----: |
| The Kestrel Two | weighs 1.9 kilograms |
<!-- a comment that nobody should read -->
"""


def written(folder: Path, text: str | bytes) -> SourceFile:
    path = folder / "shop.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return SourceFile("facts", str(folder), "shop.md", "md", "0" * 64, path.stat().st_size)


def test_bullets_paragraphs_and_rows_are_facts_and_nothing_else_is(tmp_path: Path) -> None:
    chunks = fact_chunks([written(tmp_path, SHOP)], ChunkRules())
    assert [chunk.text for chunk in chunks] == [
        "Delivery takes two days and costs little.",
        "Islands take three days longer than that.",
        "A tent must be dried before storage.",
        "The Kestrel Two: weighs 1.9 kilograms",
    ]


def test_a_chunk_knows_its_line_and_its_headings(tmp_path: Path) -> None:
    first, *_, last = fact_chunks([written(tmp_path, SHOP)], ChunkRules())
    assert (first.line, first.heading) == (7, "Shop > Delivery")
    assert (last.line, last.heading) == (20, "Shop > Tents")


def test_context_is_the_lines_around_it_of_the_same_section(tmp_path: Path) -> None:
    first, second, third, _ = fact_chunks([written(tmp_path, SHOP)], ChunkRules(context=1))
    assert (first.before, first.after) == ("", second.text)
    assert (second.before, second.after) == (first.text, "")
    assert third.before == ""


def test_a_section_is_one_chunk_and_a_long_one_is_divided_between_facts(tmp_path: Path) -> None:
    file = written(tmp_path, SHOP)
    whole = fact_chunks([file], ChunkRules(by="section"))
    assert [chunk.text.count("\n") for chunk in whole] == [1, 1]
    assert len(fact_chunks([file], ChunkRules(by="section", most_chars=80))) == 3


def test_so_many_chunks_are_spread_over_the_file(tmp_path: Path) -> None:
    text = "\n".join(f"- This is fact number {n} of the file." for n in range(100))
    chunks = fact_chunks([written(tmp_path, text)], ChunkRules(most=4))
    assert [chunk.line for chunk in chunks] == [1, 26, 51, 76]


def test_an_equal_fact_in_equal_surroundings_is_one_chunk(tmp_path: Path) -> None:
    file = written(tmp_path, "- The shop is open on Monday.")
    assert len(fact_chunks([file, file], ChunkRules())) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\x89PNG\r\n\xff\xfe\x00", "is no text"),
        (b"a fact of words\x00 with a zero", "zero byte at character 15"),
        (b"# A heading\n\nword\n", "states no fact"),
    ],
)
def test_a_file_without_facts_is_refused_by_name_and_reason(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = tmp_path / "shop.md"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=said) as error:
        read_facts(path, where=f"The facts file {str(path)!r}")
    assert str(path) in str(error.value)


@given(st.lists(st.text("abc .\n-#|`", max_size=40), max_size=12))
def test_every_chunk_stands_in_the_file(lines: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        # First: after a fence that is never closed there would be none.
        text = "\n".join(["- one first fact stands here.", "", *lines])
        chunks = fact_chunks([written(Path(folder), text)], ChunkRules())
    words = " ".join(text.split())
    assert chunks
    for chunk in chunks:
        assert all(word.strip(":;") in words for word in chunk.text.split())
