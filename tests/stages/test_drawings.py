"""transcribe: pictures are drawn before anybody looks; what cannot be drawn leaves its document."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth_dspy.errors import StoreError
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.markers import marker_ids
from synth_dspy.records import Document
from synth_dspy.stages.children import Children
from synth_dspy.stages.drawings import Drawings
from tests.parsing.samples import SVG, listed, picture, write

LIMIT = 10**8


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.close()


def page(tmp_path: Path, images: dict[str, bytes]) -> Document:
    """A page that shows these images, parsed into `tmp_path / "run"`."""
    shown = "\n\n".join(f"Text {n}.\n\n![{name}]({name})" for n, name in enumerate(images))
    write(tmp_path / "docs", "page.md", f"{shown}\n\nThe end.\n")
    for name, data in images.items():
        write(tmp_path / "docs", name, data)
    store = ImageStore(tmp_path / "run")
    return parse_file(listed(tmp_path / "docs", "page.md"), images=store, options=ParseOptions())


def drawn(document: Document, tmp_path: Path, children: Children) -> Document:
    drawings = Drawings(tmp_path / "run", max_pixels=LIMIT, children=children)
    return asyncio.run(drawings.of(document))


def damaged_avif() -> bytes:
    data = bytearray(picture(form="AVIF"))
    pixels = data.index(b"mdat") + 4
    data[pixels:] = b"\xff" * len(data[pixels:])
    return bytes(data)


def bomb() -> bytes:
    """An SVG that would take hours to draw, and that no header betrays."""
    turbulence = '<feTurbulence baseFrequency="0.9" numOctaves="400000000"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><defs>'
        f'<filter id="f">{turbulence}</filter></defs>'
        '<rect width="400" height="400" filter="url(#f)"/></svg>'
    ).encode()


def test_every_picture_has_a_form_that_each_reader_shows(
    tmp_path: Path, children: Children
) -> None:
    from PIL import Image

    images = {"a.png": picture(), "b.svg": SVG.encode(), "c.avif": picture(form="AVIF")}
    document = drawn(page(tmp_path, images), tmp_path, children)
    assert len(document.images) == 3
    for image in document.images:
        with Image.open(tmp_path / "run" / image.path) as opened:
            opened.load()
            assert opened.size == (image.width, image.height)


def test_a_document_without_such_pictures_is_the_same_and_starts_no_process(
    tmp_path: Path, children: Children
) -> None:
    document = page(tmp_path, {"a.png": picture()})
    assert drawn(document, tmp_path, children) is document
    assert children.started == 0


def test_a_picture_that_cannot_be_drawn_leaves_the_text_with_its_reason(
    tmp_path: Path, children: Children
) -> None:
    parsed = page(tmp_path, {"a.svg": SVG.encode(), "b.avif": damaged_avif()})
    assert len(parsed.images) == 2
    document = drawn(parsed, tmp_path, children)
    assert [(d.ref, d.reason) for d in document.dropped_images] == [("b.avif", "unreadable")]
    assert marker_ids(document.text) == [image.id for image in document.images]
    assert len(document.images) == 1


def test_a_picture_that_takes_for_ever_to_draw_is_dropped_as_too_complex(tmp_path: Path) -> None:
    children = Children(timeout_s=3)
    document = drawn(page(tmp_path, {"a.svg": bomb()}), tmp_path, children)
    children.close()
    assert [d.reason for d in document.dropped_images] == ["too_complex"]


def test_a_drawing_of_one_colour_is_decoration(tmp_path: Path, children: Children) -> None:
    empty = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"></svg>'
    document = drawn(page(tmp_path, {"a.svg": empty, "b.svg": SVG.encode()}), tmp_path, children)
    assert [image.decorative for image in document.images] == [True, False]


def test_a_stored_image_that_is_gone_is_an_error_of_the_store(
    tmp_path: Path, children: Children
) -> None:
    document = page(tmp_path, {"a.svg": SVG.encode()})
    (tmp_path / "run" / document.images[0].path).unlink()
    with pytest.raises(StoreError, match="Run parse again"):
        drawn(document, tmp_path, children)
