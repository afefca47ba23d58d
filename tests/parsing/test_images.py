"""The image store: bytes once, as they came; types by content; bombs refused before decoding."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from synth_dspy.errors import StoreError
from synth_dspy.parsing import ImageError, ImageStore
from synth_dspy.parsing.image_bytes import examine
from tests.parsing.samples import SVG, picture


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises this size and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IDAT" + b"\x00" * 4


def box(kind: bytes, body: bytes) -> bytes:
    """A box of an AVIF."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def bitmap_header(width: int, height: int) -> bytes:
    """A BMP that promises this size and holds nothing."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


PNG_END = b"\x00\x00\x00\x00IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "JPEG2000"])
def test_images_of_every_form_are_kept_byte_for_byte(tmp_path: Path, form: str) -> None:
    data = picture(form=form)
    stored = ImageStore(tmp_path).add(data)
    assert (tmp_path / stored.path).read_bytes() == data
    assert stored.path.startswith(f"images/{sha256(data).hexdigest()}.")
    assert stored.mime == {"JPEG2000": "image/jp2"}.get(form, f"image/{form.lower()}")
    assert (stored.width, stored.height) == (80, 60)


def locked_pdf() -> bytes:
    """A figure that needs a password."""
    import pymupdf

    document = pymupdf.open()
    document.new_page()
    locked = pymupdf.PDF_ENCRYPT_AES_256
    data: bytes = document.tobytes(encryption=locked, user_pw="a", owner_pw="b")
    return data


@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP"])
def test_an_image_over_the_pixel_limit_is_refused_whatever_its_form(form: str) -> None:
    with pytest.raises(ImageError) as caught:
        examine(picture(form=form), max_pixels=100)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unreadable"),
        (b"GET / HTTP/1.1", "unreadable"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "unreadable"),
        (picture(size=(400, 400))[:-300], "unreadable"),
        (picture(form="AVIF")[:-60], "unreadable"),
        (box(b"ftyp", b"avif" + bytes(4) + b"avif"), "unreadable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "unreadable"),
        (png_header(8, 8)[:-12] + PNG_END, "unreadable"),
        (picture().replace(b"IDAT", b"IDAX", 1), "unreadable"),
        (bitmap_header(40_000, 40_000), "too_large"),
        (png_header(40_000, 40_000), "too_large"),
        (png_header(2**31 - 1, 2**31 - 1), "too_large"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='90000' height='90000'/>", "too_large"),
        (b"<svg", "unreadable"),
        (SVG[:-8].encode(), "unreadable"),
        (b"<html><svg></svg></html>", "unreadable"),
        (SVG.replace("</svg>", "<!-- caf\xe9 --></svg>").encode("latin-1"), "unreadable"),
        (SVG.encode("utf-16"), "unreadable"),
        (b"%PDF-1.7 nothing", "unreadable"),
        (locked_pdf(), "unreadable"),
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
            examine(svg.encode(), max_pixels=10**8)


def test_an_svg_with_entities_that_it_declares_is_taken() -> None:
    svg = f"<!DOCTYPE svg [<!ENTITY ns 'http://www.w3.org/2000/svg'>]>{SVG}"
    assert examine(svg.encode(), max_pixels=10**8).mime == "image/svg+xml"


@pytest.mark.parametrize("unit", ["", "px", "pt", "mm", "cm", "in"])
def test_the_size_of_an_svg_is_told_in_whatever_unit_it_is(unit: str) -> None:
    svg = SVG.replace('"60pt"', f'"8{unit}"').replace('"30pt"', f'"4{unit}"')
    facts = examine(svg.encode(), max_pixels=10**8)
    assert facts.width == pytest.approx(2 * facts.height, rel=0.1)


def test_a_picture_of_one_colour_is_blank() -> None:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (800, 600), "white").save(out, "PNG")
    assert examine(out.getvalue(), max_pixels=10**8).blank
    assert not examine(picture(size=(800, 600)), max_pixels=10**8).blank


def test_equal_bytes_are_written_once_by_many_at_a_time(tmp_path: Path) -> None:
    store, data = ImageStore(tmp_path), picture()
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: store.add(data).path, range(40)))
    assert [f"images/{f.name}" for f in (tmp_path / "images").iterdir()] == list(paths)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        ImageStore(tmp_path).add(picture())
