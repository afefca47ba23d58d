"""Text, HTML, tables of rows, books and office files: what they say, in order, and no crash."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from synth_dspy.errors import DocumentError
from synth_dspy.parsing import rows
from tests.parsing.samples import b64, check, parsed, picture, write

PAGE = """<!doctype html><html><head><title>Rain &amp; snow</title>
<style>p {color: red}</style><script>alert("[IMAGE:0123456789abcdef]")</script></head>
<body><h1>Gauges</h1><p>A <b>rain gauge</b> measures
depth.</p><ul><li>one</li><li>two</ul>
<img src="gauge.png" alt="A gauge"><img src="none.png">
<table><tr><th>Day<th>mm</tr><tr><td>Mon<td>3 | 4 <img src="gauge.png"></tr></table>
<pre><code class="language-python">def depth(tips):
    return tips * 0.2
</code></pre><p>Evil [IMA<b>GE:</b>0123456789abcdef]<p>Unclosed"""


def refused(tmp_path: Path, path: str, data: bytes | str) -> str:
    with pytest.raises(DocumentError) as caught:
        parsed(tmp_path / "docs", path, data)
    return caught.value.reason


def test_plain_text_keeps_its_paragraphs_and_underlined_headings(tmp_path: Path) -> None:
    text = "Rain\n====\nIt falls.\n\n  An indented\n  paragraph.\n\n\n[IMAGE:0123456789abcdef]"
    document = parsed(tmp_path / "docs", "a.txt", text)
    check(document)
    kinds = [(b.kind, document.text[b.start : b.end]) for b in document.blocks]
    assert kinds[:2] == [("heading", "Rain"), ("text", "It falls.")]
    assert kinds[2] == ("text", "  An indented\n  paragraph.")
    assert document.images == ()


def test_text_in_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.txt", b"caf\xe9") == "encoding"


def test_html_keeps_text_headings_tables_code_and_images_in_order(tmp_path: Path) -> None:
    write(tmp_path, "docs/gauge.png", picture())
    document = parsed(tmp_path / "docs", "a.html", PAGE)
    check(document)
    assert document.title == "Rain & snow"
    assert [b.kind for b in document.blocks] == [
        "heading", "text", "text", "text", "image", "table", "code", "text", "text",
    ]  # fmt: skip
    assert "A rain gauge measures depth." in document.text
    assert "- one\n\n- two" in document.text
    assert "| Mon | 3 \\| 4 [IMAGE:" in document.text
    assert [(c.language, c.code) for c in document.code_blocks] == [
        ("python", "def depth(tips):\n    return tips * 0.2")
    ]
    assert [(i.origin, i.ref, i.alt) for i in document.images] == [
        ("html", "gauge.png", "A gauge"), ("html", "gauge.png", ""),
    ]  # fmt: skip
    assert [(d.ref, d.reason) for d in document.dropped_images] == [("none.png", "missing")]
    assert document.text.endswith("Unclosed")


def test_html_leaves_no_script_and_no_forged_marker(tmp_path: Path) -> None:
    document = parsed(tmp_path / "docs", "a.html", PAGE)
    assert "alert" not in document.text
    assert "color: red" not in document.text
    assert "Evil [IMAGE :" in document.text


@pytest.mark.parametrize(
    "html",
    ["", "<", "<table><td>a<img src=g.png>b", "</p></table></pre>x", "<pre>a<h1>b", "<td>x</td>",
     "<table><table><tr><td>x</table>y", "<title>t", "<h1>", "<svg><title>a</svg>b",
     "<table><h1>x</h1><tr><td>y", "&#0;&#xD800;", "<li><li>"],
)  # fmt: skip
def test_broken_html_is_read_as_far_as_it_goes(tmp_path: Path, html: str) -> None:
    write(tmp_path, "docs/g.png", picture())
    check(parsed(tmp_path / "docs", "a.html", html))


def test_html_in_the_encoding_that_it_names(tmp_path: Path) -> None:
    page = "<meta charset=iso-8859-1><p>café".encode("latin-1")
    assert parsed(tmp_path / "docs", "a.html", page).text == "café"
    lie = "<meta charset=utf-7><p>café".encode()
    assert "café" in parsed(tmp_path / "docs", "b.html", lie.replace(b"utf-7", b"x-none")).text


def test_csv_names_every_value(tmp_path: Path) -> None:
    data = 'day;rain;note\nMon;3;"a; b"\nTue;;\n'
    document = parsed(tmp_path / "docs", "a.csv", data)
    check(document)
    assert document.text == "day: Mon\nrain: 3\nnote: a; b\n\nTue"
    assert document.stats["rows"] == 2


def test_json_lines_name_every_value_and_a_lone_one_stands_alone(tmp_path: Path) -> None:
    rows = [{"text": "Rain falls."}, {"q": "Why?", "n": 2, "tags": ["a"], "no": None}, "bare"]
    document = parsed(tmp_path / "docs", "a.jsonl", "\n\n".join(map(json.dumps, rows)))
    assert document.text == 'Rain falls.\n\nq: Why?\nn: 2\ntags: ["a"]\n\nbare'


def test_a_broken_line_of_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="line 2"):
        parsed(tmp_path / "docs", "a.jsonl", '{"a": 1}\n{"a": ')


def test_parquet_names_every_value_and_leaves_bytes_out(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    table = pyarrow.table({"q": ["Why?", "How?"], "n": [1, None], "raw": [b"\x00", b"x"]})
    pyarrow.parquet.write_table(table, out)
    document = parsed(tmp_path / "docs", "a.parquet", out.getvalue())
    assert document.text == "q: Why?\nn: 1\n\nHow?"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("a.parquet", "invalid_parquet"), ("a.epub", "invalid_epub"), ("a.docx", "invalid_docx"),
     ("a.pptx", "invalid_pptx")],
)  # fmt: skip
def test_what_is_not_what_its_name_says_is_refused(tmp_path: Path, path: str, reason: str) -> None:
    for data in (b"", b"PK\x03\x04 nothing", b"plain text", empty_zip()):
        assert refused(tmp_path, path, data) == reason


def empty_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


def book(**members: bytes) -> bytes:
    """An EPUB of two chapters, the second of which is written first in the archive."""
    made = {
        "META-INF/container.xml": b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
        b'container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": b'<package xmlns="http://www.idpf.org/2007/opf" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Weather</dc:title>'
        b'</metadata><manifest><item id="b" href="text/two.xhtml" media-type='
        b'"application/xhtml+xml"/><item id="a" href="text/one%20a.xhtml" media-type='
        b'"application/xhtml+xml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/>'
        b"</spine></package>",
        "OEBPS/text/two.xhtml": b"<h1>Two</h1><p>Snow.</p>",
        "OEBPS/text/one a.xhtml": b'<h1>One</h1><img src="../i/g.png"/><img src="/etc/passwd"/>'
        b'<img src="http://example.org/a.png"/>',
        "OEBPS/i/g.png": picture(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**made, **members}.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_a_book_is_read_in_the_order_of_its_spine_with_its_images(tmp_path: Path) -> None:
    document = parsed(tmp_path / "docs", "a.epub", book())
    check(document)
    assert document.title == "Weather"
    assert document.text.startswith("One\n\n[IMAGE:")
    assert document.text.endswith("Two\n\nSnow.")
    assert [(i.ref, i.page) for i in document.images] == [("../i/g.png", 1)]
    assert [d.reason for d in document.dropped_images] == ["missing", "remote"]
    assert document.stats == {"chapters": 2}


def test_a_page_that_a_spine_names_again_and_again_is_read_once(tmp_path: Path) -> None:
    package = (
        b'<package><manifest><item id="b" href="text/two.xhtml" '
        b'media-type="application/xhtml+xml"/></manifest><spine>'
        + b'<itemref idref="b"/>' * 20_000
        + b"</spine></package>"
    )
    document = parsed(tmp_path / "docs", "a.epub", book(**{"OEBPS/book.opf": package}))
    assert (document.text, document.stats) == ("Two\n\nSnow.", {"chapters": 1})


def test_a_book_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth_dspy.parsing.epub.MAX_BOOK_BYTES", 1000)
    bomb = book(**{"OEBPS/text/two.xhtml": b"<p>" + b"a" * 100_000})
    assert refused(tmp_path, "a.epub", bomb) == "too_large"


def test_an_archive_that_unpacks_to_too_much_is_refused_with_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth_dspy.parsing.archive.MAX_UNPACKED_BYTES", 2)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(DocumentError, match=r"a\.docx unpacks to 4 bytes, over 2; divide it"):
        parsed(tmp_path / "docs", "a.docx", out.getvalue())


def locked(data: bytes, name: str) -> bytes:
    """The archive, with a member that says it is encrypted: bit 0 of its flags."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        directory, position = archive.start_dir, 0
    made = bytearray(data)
    position = data.index(b"PK\x01\x02", directory)
    while data[position + 46 : position + 46 + len(name)] != name.encode():
        position = data.index(b"PK\x01\x02", position + 4)
    made[position + 8] |= 1
    return bytes(made)


def test_a_book_with_a_password_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = locked(book(), "OEBPS/text/two.xhtml")
    with pytest.raises(DocumentError, match="needs a password; save a copy without one"):
        parsed(tmp_path / "docs", "a.epub", data)


def test_a_picture_of_a_book_that_needs_a_password_is_unreadable(tmp_path: Path) -> None:
    document = parsed(tmp_path / "docs", "a.epub", locked(book(), "OEBPS/i/g.png"))
    dropped = [(d.ref, d.reason) for d in document.dropped_images]
    assert dropped[0] == ("../i/g.png", "unreadable")


def test_a_damaged_picture_of_a_book_is_dropped(tmp_path: Path) -> None:
    data = book()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.getinfo("OEBPS/i/g.png").header_offset + 30 + len("OEBPS/i/g.png")
    damaged = data[:start] + bytes(20) + data[start + 20 :]
    document = parsed(tmp_path / "docs", "a.epub", damaged)
    dropped = [(d.ref, d.reason) for d in document.dropped_images]
    assert dropped[0] == ("../i/g.png", "unreadable")


def test_a_word_document_keeps_headings_lists_tables_and_pictures(tmp_path: Path) -> None:
    import docx

    word = docx.Document()
    word.add_heading("Gauges", level=2)
    word.add_paragraph("A rain gauge.")
    word.add_paragraph("tips", style="List Bullet")
    table = word.add_table(rows=2, cols=2)
    for index, text in enumerate(("day", "mm", "Mon", "3|4")):
        table.cell(index // 2, index % 2).text = text
    word.add_picture(io.BytesIO(picture()))
    out = io.BytesIO()
    word.save(out)
    document = parsed(tmp_path / "docs", "a.docx", out.getvalue())
    check(document)
    assert [(b.kind, b.level) for b in document.blocks] == [
        ("heading", 2), ("text", 0), ("text", 0), ("table", 0), ("image", 0),
    ]  # fmt: skip
    assert "- tips\n\n| day | mm |\n| --- | --- |\n| Mon | 3\\|4 |" in document.text
    assert [i.mime for i in document.images] == ["image/png"]


def test_a_deck_keeps_slides_titles_pictures_and_notes(tmp_path: Path) -> None:
    import pptx

    deck = pptx.Presentation()
    for number in (1, 2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = "First\nSecond"
        slide.shapes.add_picture(io.BytesIO(picture()), 0, 9_000_000)
        slide.notes_slide.notes_text_frame.text = "Say it slowly."
    out = io.BytesIO()
    deck.save(out)
    document = parsed(tmp_path / "docs", "a.pptx", out.getvalue())
    check(document)
    assert [(b.kind, b.page) for b in document.blocks] == [
        (kind, page) for page in (1, 2) for kind in ("heading", "text", "image", "text")
    ]
    assert document.text.startswith("Slide 1\n\nFirst\nSecond\n\n[IMAGE:")
    assert document.stats == {"slides": 2}


def test_an_image_of_a_page_may_be_a_data_uri(tmp_path: Path) -> None:
    uri = f"data:image/png;base64,{b64(picture())}"
    document = parsed(tmp_path / "docs", "a.html", f'<p>x <img src="{uri}">')
    assert [i.origin for i in document.images] == ["data_uri"]


def test_a_cell_of_a_csv_may_be_longer_than_pythons_own_limit(tmp_path: Path) -> None:
    csv.field_size_limit(131_072)
    long = "rain " * 40_000
    document = parsed(tmp_path / "docs", "a.csv", f'q,a\nWhy?,"{long}"\n')
    assert document.text == f"q: Why?\na: {long.strip()}"


def test_a_table_of_too_many_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 2)
    assert "q: 2" in parsed(tmp_path / "docs", "a.csv", "q,a\n1,1\n2,2\n").text
    assert refused(tmp_path, "b.csv", "q,a\n1,1\n2,2\n3,3\n") == "too_many_rows"
    assert refused(tmp_path, "b.jsonl", '{"q":1}\n{"q":2}\n{"q":3}\n') == "too_many_rows"
