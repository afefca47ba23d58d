"""parse: what makes a document new, and the limits that reach the images."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from synth_dspy.dataset.scan_policy import ScanPolicy
from synth_dspy.errors import DocumentError
from synth_dspy.parsing import ParseOptions
from synth_dspy.records import Document, SourceFile, digest
from synth_dspy.stages.children import Children
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


@pytest.fixture
def stuck(root: Path) -> SourceFile:
    """A document that never ends: a pipe that nobody has written to."""
    os.mkfifo(root / "stuck.md")
    return SourceFile("docs", str(root), "stuck.md", "md", "0" * 64, 0)


def test_a_document_that_takes_too_long_is_failed_with_the_limit_and_what_to_do(
    root: Path, stuck: SourceFile
) -> None:
    stage = Parse(root.parent / "run", ParseOptions(), children=Children(timeout_s=0.5))
    said = r"stuck\.md took over 0\.5 s; divide it, or leave it out with exclude_patterns"
    with pytest.raises(DocumentError, match=said) as caught:
        asyncio.run(stage.process(stuck))
    stage.close()
    assert (caught.value.reason, caught.value.retryable) == ("parse_timeout", False)


def test_a_document_that_kills_its_parser_is_failed_with_what_to_do(
    root: Path, stuck: SourceFile
) -> None:
    stage = Parse(root.parent / "run", ParseOptions())

    async def killed() -> None:
        call = asyncio.ensure_future(stage.process(stuck))
        with await asyncio.to_thread((root / "stuck.md").open, "wb"):  # the parser is reading now
            for child in multiprocessing.active_children():
                child.kill()
            await call

    said = r"stuck\.md: .* Leave it out with exclude_patterns"
    with pytest.raises(DocumentError, match=said) as caught:
        asyncio.run(killed())
    stage.close()
    assert (caught.value.reason, caught.value.retryable) == ("parser_died", False)
