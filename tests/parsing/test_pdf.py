"""PDFs: text in reading order, headings, figures with captions; damage and locks refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from synth_dspy.errors import DocumentError
from synth_dspy.parsing import ParseOptions
from tests.parsing.samples import check, parsed, picture

LOREM = "The quick brown fox jumps over the lazy dog and rests in the shade of a tree today."


def pdf(*, pages: int = 1, width: float = 595, height: float = 842) -> Any:
    document = pymupdf.open()
    for _ in range(pages):
        document.new_page(width=width, height=height)
    return document


def test_a_page_has_headings_by_font_size_and_reflowed_prose(tmp_path: Path) -> None:
    document = pdf()
    page = document[0]
    page.insert_text((60, 80), "A great title", fontsize=22)
    page.insert_text((60, 120), "A section", fontsize=15)
    page.insert_textbox((60, 140, 400, 300), f"{LOREM} {LOREM} {LOREM}", fontsize=10)
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes())
    check(made)
    assert [(b.kind, b.level, b.page) for b in made.blocks] == [
        ("heading", 1, 1),
        ("heading", 2, 1),
        ("text", 0, 1),
    ]
    assert made.text.endswith(f"{LOREM} {LOREM} {LOREM}")
    assert made.stats["pages"] == 1
    assert made.stats["text_chars"] == sum(len("".join(t.split())) for t in (
        "A great title", "A section", LOREM, LOREM, LOREM))  # fmt: skip


def test_two_columns_are_read_left_then_right(tmp_path: Path) -> None:
    document = pdf()
    for number, x in enumerate((50, 320)):
        for row in range(4):
            box = (x, 100 + 150 * row, x + 220, 230 + 150 * row)
            document[0].insert_textbox(box, f"col{number}row{row} {LOREM * 2}", fontsize=10)
    text = parsed(tmp_path / "docs", "a.pdf", document.tobytes()).text
    places = [text.index(f"col{c}row{r}") for c in (0, 1) for r in range(4)]
    assert places == sorted(places)


def test_a_bitmap_is_found_with_its_caption_and_page(tmp_path: Path) -> None:
    document = pdf(pages=2)
    data = picture(size=(200, 100))
    document[1].insert_image((100, 100, 300, 200), stream=data)
    document[1].insert_text((100, 220), "Figure 3: Two colours.", fontsize=10)
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes())
    check(made)
    image = made.images[0]
    assert (image.origin, image.page, image.width, image.height) == ("pdf_bitmap", 2, 200, 100)
    assert image.caption == "Figure 3: Two colours."


def test_every_drawing_of_a_bitmap_is_an_occurrence(tmp_path: Path) -> None:
    document = pdf(pages=3)
    for page in document:
        page.insert_image((50, 50, 150, 150), stream=picture(size=(100, 100)))
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes())
    assert [image.page for image in made.images] == [1, 2, 3]
    assert len({image.path for image in made.images}) == 1


def test_two_bitmaps_of_one_size_are_told_apart(tmp_path: Path) -> None:
    document = pdf()
    document[0].insert_image((50, 50, 150, 150), stream=picture("red", (100, 100)))
    document[0].insert_image((50, 250, 150, 350), stream=picture("orange", (100, 100), "JPEG"))
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes())
    assert len({image.sha256 for image in made.images}) == 2


def test_small_bitmaps_are_ornaments(tmp_path: Path) -> None:
    document = pdf()
    document[0].insert_image((50, 50, 150, 150), stream=picture(size=(63, 200)))
    assert parsed(tmp_path / "docs", "a.pdf", document.tobytes()).images == ()


def test_a_vector_figure_is_drawn_as_a_region_and_its_labels_are_in_the_picture(
    tmp_path: Path,
) -> None:
    document = pdf()
    page = document[0]
    for step in range(8):
        page.draw_rect((100 + 20 * step, 100, 115 + 20 * step, 120 + 15 * step), fill=(0, 0, 1))
    page.insert_text((120, 200), "label", fontsize=8)
    page.insert_text((100, 250), "Fig. 1. Bars that grow.", fontsize=10)
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes())
    check(made)
    assert [(i.origin, i.caption) for i in made.images] == [
        ("pdf_vector", "Fig. 1. Bars that grow.")
    ]
    assert made.images[0].width > 200
    assert "label" not in made.text


def test_rules_and_frames_around_text_are_no_figures(tmp_path: Path) -> None:
    document = pdf()
    page = document[0]
    page.draw_rect((50, 50, 500, 400))
    page.insert_textbox((60, 60, 490, 390), (LOREM + " ") * 30, fontsize=10)
    for row in range(6):
        page.draw_line((50, 500 + 8 * row), (300, 500 + 8 * row))
    assert parsed(tmp_path / "docs", "a.pdf", document.tobytes()).images == ()


def test_landscape_pages_are_slides(tmp_path: Path) -> None:
    document = pdf(pages=3, width=720, height=405)
    for number, page in enumerate(document):
        page.insert_text((60, 80), f"Slide {number}", fontsize=24)
    assert parsed(tmp_path / "docs", "a.pdf", document.tobytes()).stats["slides"] == 3


def test_pages_without_text_are_counted(tmp_path: Path) -> None:
    document = pdf(pages=2)
    document[0].insert_text((60, 80), LOREM)
    options = ParseOptions(pdf_ocr=False)
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes(), options=options)
    assert made.stats["no_text_layer"] == 1


def test_monospaced_lines_are_code(tmp_path: Path) -> None:
    document = pdf()
    document[0].insert_text((60, 60), LOREM, fontsize=10)
    document[0].insert_text((60, 120), ["def f(x):", "    return x"], fontname="cour", fontsize=10)
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes())
    check(made)
    assert [block.code for block in made.code_blocks] == ["def f(x):\n    return x"]


def table_between_words() -> bytes:
    """A page with a table of three rows and two columns between two paragraphs."""
    document = pdf()
    page = document[0]
    page.insert_text((60, 40), f"Above. {LOREM}", fontsize=9)
    for row in range(3):
        for column in range(2):
            box = pymupdf.Rect(60 + 100 * column, 60 + 30 * row, 160 + 100 * column, 90 + 30 * row)
            page.draw_rect(box)
            page.insert_text((box.x0 + 5, box.y0 + 20), f"r{row}c{column}", fontsize=10)
    page.insert_text((60, 200), f"Below. {LOREM}", fontsize=9)
    made: bytes = document.tobytes()
    return made


def test_a_table_stands_in_its_place_and_its_words_stand_once(tmp_path: Path) -> None:
    options = ParseOptions(pdf_tables=True)
    made = parsed(tmp_path / "docs", "a.pdf", table_between_words(), options=options)
    check(made)
    assert [b.kind for b in made.blocks] == ["text", "table", "text"]
    assert "| r0c0 | r0c1 |\n| --- | --- |\n| r1c0 | r1c1 |" in made.text
    assert all(made.text.count(f"r{row}c{column}") == 1 for row in range(3) for column in range(2))


def test_tables_are_text_unless_switched_on(tmp_path: Path) -> None:
    made = parsed(tmp_path / "docs", "a.pdf", table_between_words())
    assert {b.kind for b in made.blocks} == {"text"}
    assert made.text.count("r1c1") == 1


def scan() -> bytes:
    """A page that is a picture of words."""
    written = pdf(width=400, height=200)
    written[0].insert_text((40, 80), "Rain gauge", fontsize=32)
    document = pdf(width=400, height=200)
    picture_of_it = written[0].get_pixmap(dpi=200).tobytes("png")
    document[0].insert_image(document[0].rect, stream=picture_of_it)
    return bytes(document.tobytes())


@pytest.mark.skipif(
    not shutil.which("tesseract"),
    reason="Tesseract is not installed (Debian: apt-get install tesseract-ocr)",
)
def test_a_scan_is_read_by_tesseract(tmp_path: Path) -> None:
    made = parsed(tmp_path / "docs", "a.pdf", scan())
    check(made)
    assert "Rain gauge" in made.text
    assert (made.stats["no_text_layer"], made.stats["ocr_pages"]) == (1, 1)
    assert made.stats["text_chars"] == len("Raingauge")


def test_a_scan_without_tesseract_is_counted_and_keeps_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = parsed(tmp_path / "docs", "a.pdf", scan())
    check(made)
    assert made.stats == {"pages": 1, "text_chars": 0, "no_text_layer": 1}
    assert len(made.images) == 1


def test_a_scan_is_not_read_when_that_is_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth_dspy.parsing.pdf.recognised", lambda page: pytest.fail("asked"))
    made = parsed(tmp_path / "docs", "a.pdf", scan(), options=ParseOptions(pdf_ocr=False))
    assert "ocr_pages" not in made.stats


def test_what_ocr_reads_becomes_text_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(page: Any) -> Any:
        page.insert_text((40, 80), "Read by a stand-in", fontsize=12)
        return page.get_textpage(flags=3)

    monkeypatch.setattr("synth_dspy.parsing.pdf.recognised", read)
    made = parsed(tmp_path / "docs", "a.pdf", scan())
    check(made)
    assert "Read by a stand-in" in made.text
    assert made.stats["ocr_pages"] == 1


def test_a_bitmap_above_the_pixel_limit_is_dropped_unseen(tmp_path: Path) -> None:
    document = pdf()
    document[0].insert_image((50, 50, 150, 150), stream=picture(size=(300, 300)))
    options = ParseOptions(max_image_pixels=80_000)
    made = parsed(tmp_path / "docs", "a.pdf", document.tobytes(), options=options)
    assert [(d.reason, d.page) for d in made.dropped_images] == [("too_large", 1)]


def test_a_locked_file_is_refused(tmp_path: Path) -> None:
    data = pdf().tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="a", owner_pw="b")
    with pytest.raises(DocumentError, match="needs a password") as caught:
        parsed(tmp_path / "docs", "a.pdf", data)
    assert caught.value.reason == "encrypted"


def test_a_file_with_an_owner_password_only_is_read(tmp_path: Path) -> None:
    document = pdf()
    document[0].insert_text((60, 60), LOREM)
    data = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="b", permissions=0)
    assert "quick brown fox" in parsed(tmp_path / "docs", "a.pdf", data).text


def test_too_many_pages_are_refused_by_the_stated_limit(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="has 4 pages, max_pages is 3; divide it") as caught:
        parsed(
            tmp_path / "docs", "a.pdf", pdf(pages=4).tobytes(), options=ParseOptions(max_pages=3)
        )
    assert caught.value.reason == "too_many_pages"


LOOP = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R>>"
)


def test_a_file_without_pages_is_refused(tmp_path: Path) -> None:
    empty = LOOP.replace(b"Kids[2 0 R]/Count 1", b"Kids[]/Count 0")
    with pytest.raises(DocumentError, match=r"a\.pdf has no page"):
        parsed(tmp_path / "docs", "a.pdf", empty)


def test_a_file_whose_every_page_fails_the_reader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(reader: object, page: object, number: int) -> None:
        raise RuntimeError("a fault of the library")

    monkeypatch.setattr("synth_dspy.parsing.pdf._Reader._page", fails)
    with pytest.raises(DocumentError, match=r"a\.pdf: no page can be read"):
        parsed(tmp_path / "docs", "a.pdf", pdf(pages=2).tobytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        b"<html>Not found</html>",
        picture(),
        LOOP,
    ],
)
def test_what_is_no_pdf_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        parsed(tmp_path / "docs", "a.pdf", data)
    assert caught.value.reason in ("not_a_pdf", "unreadable")


def test_junk_before_the_header_is_passed_over(tmp_path: Path) -> None:
    document = pdf()
    document[0].insert_text((60, 60), LOREM)
    data = b"junk\n" * 20 + document.tobytes()
    assert "quick brown fox" in parsed(tmp_path / "docs", "a.pdf", data).text
