"""Parsing documents of every kind, beside a bare read of the same files with one library alone.

A bare read is nbformat for notebooks, markdown-it for pages, and PyMuPDF's text and image bytes
for PDFs: it resolves no image, checks none, and knows nothing of spans. Each repetition parses into
a run directory of its own. Drawing what not every reader shows (SVG, AVIF) is no part of parsing:
it is done once a picture before models look at it, and is the drawing library's time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.table import Group, Row
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.drawing import draw_stored, needs_drawing
from synth_dspy.parsing.images import FOLDER
from synth_dspy.records import SourceFile
from synth_dspy.sources.files import list_files

MB = 1e6

Bare = Callable[[Path], object]


def parsing(folder: Path, *, repetitions: int = 5) -> list[Group]:
    """A group a kind: the documents below `folder` read bare and parsed, in turn."""
    files, _ = list_files(folder.resolve(), name="bench", include=[], exclude=[])
    groups = []
    for title, kinds, library, bare in (
        ("notebooks", ("ipynb",), "nbformat", _notebook),
        ("pages", ("md", "mdx"), "markdown-it", _page),
        ("PDFs", ("pdf",), "PyMuPDF", _pdf),
    ):
        some = [file for file in files if file.kind in kinds]
        if some:
            groups.append(_group(f"read {len(some)} {title}", some, library, bare, repetitions))
    return groups


def _group(
    title: str, files: Sequence[SourceFile], library: str, bare: Bare, repetitions: int
) -> Group:
    read: list[float] = []
    parsed: list[float] = []
    drawn: list[float] = []
    for round_ in range(repetitions + 1):  # the first one imports the libraries
        with tempfile.TemporaryDirectory() as run_dir:
            images = ImageStore(Path(run_dir))
            times = (
                _timed(lambda: [bare(Path(file.root) / file.path) for file in files]),
                _timed(lambda store=images: _parse(files, store)),  # type: ignore[misc]
                _timed(lambda store=images: _draw(store)),  # type: ignore[misc]
            )
        if round_:
            read.append(times[0])
            parsed.append(times[1])
            drawn.append(times[1] + times[2])
    size = sum(file.size for file in files) / MB
    return Group(
        title,
        [
            Row(f"{library} alone", read, size, "MB/s"),
            Row("parse", parsed, size, "MB/s"),
            Row("parse, then draw SVG and AVIF", drawn, size, "MB/s"),
        ],
    )


def _parse(files: Sequence[SourceFile], images: ImageStore) -> None:
    for file in files:
        parse_file(file, images=images, options=ParseOptions())


def _draw(images: ImageStore) -> None:
    """What `transcribe` draws, in one process rather than one a core."""
    for path in sorted((images.run_dir / FOLDER).glob("*")):
        stored = f"{FOLDER}/{path.name}"
        if needs_drawing(stored):
            draw_stored(images.run_dir, stored, images.max_pixels)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _notebook(path: Path) -> object:
    import nbformat

    return nbformat.read(path, as_version=4)


def _page(path: Path) -> object:
    from markdown_it import MarkdownIt

    return MarkdownIt().parse(path.read_text())


def _pdf(path: Path) -> object:
    import pymupdf

    read = []
    with pymupdf.open(path) as document:
        for page in document:
            read.append(page.get_text())
            read += [document.extract_image(image[0]) for image in page.get_images()]
    return read
