"""Pictures that a document promises and does not hold: dropped with a reason, the text kept."""

from __future__ import annotations

import io
from pathlib import Path

import pymupdf
import pytest

from synth_dspy.parsing import ParseOptions, resolve
from synth_dspy.records import Document
from tests.parsing.samples import parsed, picture, write

LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def dropped(document: Document) -> list[tuple[str, str]]:
    return [(image.reason, image.ref) for image in document.dropped_images]


def test_a_picture_that_a_word_document_only_links_to_is_missing(tmp_path: Path) -> None:
    import docx
    from docx.oxml.ns import qn

    word = docx.Document()
    word.add_paragraph("A rain gauge.")
    word.add_picture(io.BytesIO(picture()))
    for blip in word.element.body.iter(qn("a:blip")):
        del blip.attrib[qn("r:embed")]
        blip.set(qn("r:link"), word.part.relate_to("http://h/a.png", f"{LINK}/image", True))
    out = io.BytesIO()
    word.save(out)
    document = parsed(tmp_path / "docs", "a.docx", out.getvalue())
    assert [reason for reason, _ in dropped(document)] == ["missing"]
    assert document.text == "A rain gauge."


def test_a_picture_that_a_deck_only_links_to_is_missing(tmp_path: Path) -> None:
    import pptx
    from pptx.oxml.ns import qn

    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Gauges"
    shape = slide.shapes.add_picture(io.BytesIO(picture()), 0, 0)
    for blip in shape._element.iter(qn("a:blip")):
        del blip.attrib[qn("r:embed")]
        blip.set(qn("r:link"), slide.part.relate_to("http://h/a.png", f"{LINK}/image", True))
    out = io.BytesIO()
    deck.save(out)
    document = parsed(tmp_path / "docs", "a.pptx", out.getvalue())
    assert dropped(document) == [("missing", shape.name)]
    assert document.text == "Gauges"


def test_a_picture_that_may_not_be_read_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No file is closed to root, who runs the tests in a container.
    def closed(path: str, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    write(tmp_path / "docs", "a.png", picture())
    monkeypatch.setattr(resolve, "open", closed, raising=False)
    document = parsed(tmp_path / "docs", "a.md", "Text.\n\n![a](a.png)\n")
    assert dropped(document) == [("unreadable", "a.png")]


def test_a_bitmap_of_a_pdf_above_the_limit_is_too_large(tmp_path: Path) -> None:
    pdf = pymupdf.open()
    page = pdf.new_page()
    page.insert_text((72, 72), "A rain gauge collects rain.")
    page.insert_image(pymupdf.Rect(72, 100, 372, 300), stream=picture(size=(300, 200)))
    data = pdf.tobytes()
    whole = parsed(tmp_path / "docs", "a.pdf", data)
    assert dropped(whole) == []
    assert len(whole.images) == 1
    document = parsed(
        tmp_path / "docs", "b.pdf", data, options=ParseOptions(max_image_pixels=59_999)
    )
    assert [reason for reason, _ in dropped(document)] == ["too_large"]
    assert "A rain gauge collects rain." in document.text
