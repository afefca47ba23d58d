"""The image store: bytes once, types by content, bombs refused before they are decoded."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from synth_dspy.errors import StoreError
from synth_dspy.parsing import ImageError, ImageStore
from synth_dspy.parsing.raster import MAX_SIDE_PX, rasterise, sniff
from tests.parsing.samples import SVG, picture


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises this size and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IDAT" + b"\x00" * 4


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_common_forms_are_kept_byte_for_byte(tmp_path: Path, form: str) -> None:
    data = picture(form=form)
    stored = ImageStore(tmp_path).add(data)
    assert (tmp_path / stored.path).read_bytes() == data
    assert stored.sha256 == sha256(data).hexdigest()
    assert (stored.width, stored.height) == (80, 60)


@pytest.mark.parametrize("form", ["AVIF", "TIFF", "BMP", "JPEG2000"])
def test_rare_forms_are_kept_as_png_under_their_own_hash(tmp_path: Path, form: str) -> None:
    data = picture(form=form)
    stored = ImageStore(tmp_path).add(data)
    assert stored.path == f"images/{sha256(data).hexdigest()}.png"
    assert sniff((tmp_path / stored.path).read_bytes()) == "image/png"
    assert stored.mime == {"JPEG2000": "image/jp2"}.get(form, f"image/{form.lower()}")


def test_a_pdf_figure_is_drawn(tmp_path: Path) -> None:
    import pymupdf

    with pymupdf.open() as document:
        document.new_page(width=100, height=50).draw_rect((10, 10, 60, 40), fill=(1, 0, 0))
        data = document.tobytes()
    stored = ImageStore(tmp_path).add(data)
    assert (stored.mime, stored.extension, stored.width) == ("application/pdf", "png", 200)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unreadable"),
        (b"GET / HTTP/1.1", "unreadable"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "unreadable"),
        (picture(size=(400, 400))[:-300], "unreadable"),
        (picture(form="AVIF")[:-60], "unreadable"),
        (png_header(40_000, 40_000), "too_large"),
        (png_header(2**31 - 1, 2**31 - 1), "too_large"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='90000' height='90000'/>", "too_large"),
        (b"<svg", "unreadable"),
        (b"%PDF-1.7 nothing", "unreadable"),
    ],
)
def test_bytes_that_cannot_be_used_are_refused_and_nothing_is_written(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    with pytest.raises(ImageError) as caught:
        ImageStore(tmp_path).add(data)
    assert caught.value.reason == reason
    assert not list(tmp_path.iterdir())


def test_entities_of_an_svg_are_neither_expanded_without_end_nor_read_from_files() -> None:
    loops = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    for entities in (f'<!ENTITY e0 "lol">{loops}', '<!ENTITY e11 SYSTEM "file:///etc/hostname">'):
        svg = f"<!DOCTYPE svg [{entities}]><svg xmlns='http://www.w3.org/2000/svg'><text>&e11;</text></svg>"
        with pytest.raises(ImageError, match="unreadable"):
            rasterise(svg.encode(), max_pixels=10**8)


def test_an_svg_does_not_show_other_files(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(picture("red"))
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
    linked = f'{head}<image href="{tmp_path}/red.png" width="40" height="40"/></svg>'
    empty = f"{head}</svg>"
    drawn = [rasterise(svg.encode(), max_pixels=10**8).data for svg in (linked, empty)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("unit", ["", "px", "pt", "mm", "cm", "in"])
def test_an_svg_is_drawn_in_whatever_unit_its_size_is(unit: str) -> None:
    svg = SVG.replace('"60pt"', f'"8{unit}"').replace('"30pt"', f'"4{unit}"')
    raster = rasterise(svg.encode(), max_pixels=10**8)
    assert raster.width == pytest.approx(2 * raster.height, rel=0.1)


def test_text_in_an_svg_is_drawn_without_fonts_of_the_machine() -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">'
    text = f'{head}<text x="5" y="20" font-size="16" font-family="sans-serif">Word</text></svg>'
    assert not rasterise(text.encode(), max_pixels=10**8).blank


def test_a_very_wide_picture_is_made_smaller_when_it_is_converted() -> None:
    raster = rasterise(picture(size=(6000, 40), form="TIFF"), max_pixels=10**8)
    assert raster.width == 6000
    assert rasterise(raster.data, max_pixels=10**8).width == MAX_SIDE_PX


def test_a_picture_of_one_colour_is_blank() -> None:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (800, 600), "white").save(out, "PNG")
    assert rasterise(out.getvalue(), max_pixels=10**8).blank
    assert not rasterise(picture(size=(800, 600)), max_pixels=10**8).blank


def test_equal_bytes_are_written_once_by_many_at_a_time(tmp_path: Path) -> None:
    store, data = ImageStore(tmp_path), picture()
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: store.add(data).path, range(40)))
    assert [f"images/{f.name}" for f in (tmp_path / "images").iterdir()] == list(paths)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        ImageStore(tmp_path).add(picture())
