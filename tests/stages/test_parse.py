"""parse: what makes a document new, and the limits that reach the images."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from synth_dspy.dataset.scan_policy import ScanPolicy
from synth_dspy.parsing import ParseOptions
from synth_dspy.records import Document, digest
from synth_dspy.stages.parse import Parse, _parse
from tests.parsing.samples import listed, picture, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A page with one image."""
    write(tmp_path / "docs", "page.md", "# Gauge\n\n![A gauge](gauge.png)\n")
    write(tmp_path / "docs", "gauge.png", picture())
    return tmp_path / "docs"


def key(root: Path) -> str:
    """What the journal would be asked for."""
    return digest(Parse(root.parent / "run", ParseOptions()).identity(listed(root, "page.md")))


def test_a_source_that_moved_is_the_same_source(root: Path) -> None:
    moved = root.parent / "elsewhere"
    shutil.copytree(root, moved)
    assert key(moved) == key(root)


def test_an_image_that_a_page_shows_is_part_of_what_it_is(root: Path) -> None:
    before = key(root)
    write(root, "other.png", picture("blue"))
    assert key(root) == before
    write(root, "gauge.png", picture("blue"))
    changed = key(root)
    (root / "gauge.png").unlink()
    assert len({before, changed, key(root)}) == 3


def test_the_pixel_limit_of_the_configuration_holds_for_every_image(root: Path) -> None:
    assert parsed_with(root, ParseOptions()).dropped_images == ()
    small = parsed_with(root, ParseOptions(max_image_pixels=100))
    assert [image.reason for image in small.dropped_images] == ["too_large"]


def parsed_with(root: Path, options: ParseOptions) -> Document:
    document = _parse(listed(root, "page.md"), root.parent / "run", options, ScanPolicy())
    assert isinstance(document, Document)
    return document
