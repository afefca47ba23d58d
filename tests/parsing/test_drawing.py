"""Drawing: what no reader shows becomes a PNG, once, and from nothing but its own bytes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from synth_dspy.errors import StoreError
from synth_dspy.parsing import ImageError, ImageStore
from synth_dspy.parsing.drawing import MAX_SIDE_PX, draw, draw_stored, needs_drawing
from synth_dspy.parsing.image_bytes import examine
from tests.parsing.samples import SVG, picture
from tests.parsing.test_images import bitmap_header

LIMIT = 10**8
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">'


def one_page_pdf() -> bytes:
    """A figure of 100 x 50 points."""
    import pymupdf

    with pymupdf.open() as document:
        document.new_page(width=100, height=50).draw_rect((10, 10, 60, 40), fill=(1, 0, 0))
        made: bytes = document.tobytes()
    return made


RARE = {
    "svg": SVG.encode(),
    "avif": picture(form="AVIF"),
    "tif": picture(form="TIFF"),
    "bmp": picture(form="BMP"),
    "jp2": picture(form="JPEG2000"),
    "pdf": one_page_pdf(),
}


@pytest.mark.parametrize("form", RARE)
def test_rare_forms_are_drawn_as_png_in_the_size_that_was_told(tmp_path: Path, form: str) -> None:
    stored = ImageStore(tmp_path).add(RARE[form])
    assert needs_drawing(stored.path)
    drawing = draw_stored(tmp_path, stored.path, LIMIT)
    assert drawing.path == f"images/{stored.sha256}.png"
    with Image.open(tmp_path / drawing.path) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (stored.width, stored.height))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_common_forms_need_no_drawing(tmp_path: Path, form: str) -> None:
    assert not needs_drawing(ImageStore(tmp_path).add(picture(form=form)).path)


def test_a_picture_is_drawn_once_a_run_directory(tmp_path: Path) -> None:
    stored = ImageStore(tmp_path).add(SVG.encode())
    first = draw_stored(tmp_path, stored.path, LIMIT)
    (tmp_path / stored.path).unlink()
    assert draw_stored(tmp_path, stored.path, LIMIT) == first


def test_an_image_that_was_removed_from_the_run_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"images/gone\.svg.*Run parse again with --no-cache"):
        draw_stored(tmp_path, "images/gone.svg", LIMIT)


def test_damage_that_no_header_tells_is_found_when_it_is_drawn(tmp_path: Path) -> None:
    data = bytearray(picture(form="AVIF"))
    pixels = data.index(b"mdat") + 4
    data[pixels:] = b"\xff" * len(data[pixels:])
    stored = ImageStore(tmp_path).add(bytes(data))
    with pytest.raises(ImageError) as caught:
        draw_stored(tmp_path, stored.path, LIMIT)
    assert caught.value.reason == "unreadable"
    assert [path.name for path in (tmp_path / "images").iterdir()] == [Path(stored.path).name]


def test_bytes_that_are_no_image_are_not_drawn() -> None:
    with pytest.raises(ImageError, match="unreadable"):
        draw(b"GET / HTTP/1.1", max_pixels=LIMIT)


def test_a_header_that_promises_a_giant_is_not_drawn() -> None:
    with pytest.raises(ImageError, match="too_large"):
        draw(bitmap_header(40_000, 40_000), max_pixels=LIMIT)


@pytest.mark.parametrize("form", ["svg", "avif", "pdf"])
def test_what_is_over_the_pixel_limit_is_not_drawn(form: str) -> None:
    with pytest.raises(ImageError, match="too_large"):
        draw(RARE[form], max_pixels=100)


def test_a_drawing_of_one_colour_is_blank(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    empty, full = (store.add(svg.encode()).path for svg in (f"{HEAD}</svg>", SVG))
    assert draw_stored(tmp_path, empty, LIMIT).blank
    assert not draw_stored(tmp_path, full, LIMIT).blank


def test_an_svg_does_not_show_other_files(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(picture("red"))
    linked = f'{HEAD}<image href="{tmp_path}/red.png" width="40" height="40"/></svg>'
    empty = f"{HEAD}</svg>"
    drawn = [draw(svg.encode(), max_pixels=LIMIT) for svg in (linked, empty)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("family", ["sans-serif", "serif", "monospace", "Arial, Helvetica"])
def test_text_in_an_svg_is_drawn_without_fonts_of_the_machine(family: str) -> None:
    text = f'{HEAD}<text x="5" y="20" font-size="16" font-family="{family}">Word</text></svg>'
    empty = f"{HEAD}</svg>"
    assert draw(text.encode(), max_pixels=LIMIT) != draw(empty.encode(), max_pixels=LIMIT)


def test_a_very_wide_picture_is_made_smaller_when_it_is_drawn() -> None:
    wide = picture(size=(6000, 40), form="TIFF")
    assert examine(wide, max_pixels=LIMIT).width == 6000
    with Image.open(io.BytesIO(draw(wide, max_pixels=LIMIT))) as drawn:
        assert drawn.width == MAX_SIDE_PX
