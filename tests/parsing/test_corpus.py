"""Real documents, beside what tools of other kinds found in them: nothing missed, nothing made up.

Every difference is named in EXCEPTIONS with its reason, and must be there exactly as it says. The
last test prints the table of recall and false finds by kind (`pytest -s`).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from synth_dspy.errors import DocumentError
from synth_dspy.parsing import ChunkOptions, ImageStore, ParseOptions, chunk_document, parse_file
from synth_dspy.parsing.markers import marker_ids
from synth_dspy.records import Document
from tests.parsing.corpus import KINDS, expected, ours, source_file, truth
from tests.parsing.samples import check

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Argued:
    """A difference from the truth that is right: how many it misses and has over, and why."""

    missed: int
    over: int
    why: str


EXCEPTIONS: dict[tuple[str, str], Argued] = {
    ("mdx/jupyter-book__mystmd/docs/figures.md", "references found"): Argued(
        1, 0, "an EPS file: PostScript is a program, and nothing kept here runs it. It is dropped "
        "as `unsupported`, and the other forms of the same figure are there.",
    ),
    ("mdx/saleor__saleor-docs/docs/developer/extending/apps/developing-apps/app-examples.mdx",
     "references found"): Argued(
        2, 1, "the truth counts imports, ours are what is shown: two imported icons are never "
        "used (they are dropped as `unused`), and one is used twice.",
    ),
    ("notebooks/ipython__ipython-in-depth/examples/Notebook/Working With Markdown Cells.ipynb",
     "references found"): Argued(
        1, 0, "indented by four spaces, so it is code that shows how an image is written.",
    ),
    ("notebooks/jupyter__nbconvert/tests/exporters/files/notebook_inject.ipynb",
     "output images"): Argued(
        6, 0, "made to inject scripts: the declared images are 0 to 46 bytes of no image format "
        "(the truth says `unknown`, too). They are dropped as `unreadable`.",
    ),
}  # fmt: skip

REFUSED = {
    "broken/real/jsvine__pdfplumber/empty.pdf": "not_a_pdf",
    "broken/real/py-pdf__sample-files/005-libreoffice-writer-password/"
    "libreoffice-writer-password.pdf": "encrypted",
}


@dataclass(slots=True)
class Tally:
    """Over all documents, by kind."""

    known: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def tally() -> Tally:
    return Tally()


@pytest.fixture(scope="module")
def store() -> Iterator[ImageStore]:
    with tempfile.TemporaryDirectory() as folder:
        yield ImageStore(Path(folder))


def parsed(path: str, store: ImageStore) -> Document:
    # What Tesseract reads on a page differs by its version; the truth knows the text layer only.
    return parse_file(source_file(path), images=store, options=ParseOptions(pdf_ocr=False))


@pytest.mark.parametrize("path", [path for path in truth() if path not in REFUSED])
def test_a_document_holds_what_is_in_it(path: str, store: ImageStore, tally: Tally) -> None:
    known = truth()[path]
    document = parsed(path, store)
    check(document)
    wanted, found = expected(known), ours(document, known)
    for kind, items in wanted.items():
        missed, over = items - found[kind], found[kind] - items
        tally.known[kind] += items.total()
        tally.missed[kind] += missed.total()
        tally.over[kind] += over.total()
        allowed = EXCEPTIONS.get((path, kind), Argued(0, 0, ""))
        assert (missed.total(), over.total()) == (allowed.missed, allowed.over), (
            f"{kind}: missed {dict(missed)}, over {dict(over)}"
        )
    assert all((store.run_dir / image.path).is_file() for image in document.images)


@pytest.mark.parametrize("path", [path for path in truth() if path not in REFUSED])
def test_chunks_of_a_document_lose_no_image_and_no_text(path: str, store: ImageStore) -> None:
    document, options = parsed(path, store), ChunkOptions()
    chunks = chunk_document(document, options)
    assert [i for c in chunks for i in marker_ids(c.text)] == [i.id for i in document.images]
    covered = 0
    for chunk in chunks:
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert len(chunk.text) <= options.max_context_length
        assert not document.text[covered : chunk.start].strip()
        covered = chunk.end
    assert not document.text[covered:].strip()


@pytest.mark.parametrize("path", sorted(REFUSED))
def test_what_cannot_be_read_is_refused_with_its_reason(path: str, store: ImageStore) -> None:
    with pytest.raises(DocumentError) as caught:
        parsed(path, store)
    assert caught.value.reason == REFUSED[path]


def test_every_exception_is_of_a_document_that_is_there() -> None:
    assert {path for path, _ in EXCEPTIONS} <= set(truth())
    assert set(REFUSED) <= set(truth())


def test_recall_and_false_finds_by_kind(tally: Tally) -> None:
    lines = [f"{'kind':<20} {'known':>7} {'missed':>7} {'over':>5}  recall"]
    for kind in KINDS:
        known, missed = tally.known[kind], tally.missed[kind]
        recall = 1 - missed / max(1, known)
        lines.append(f"{kind:<20} {known:>7} {missed:>7} {tally.over[kind]:>5}  {recall:.3f}")
    table = "\n".join(lines)
    print(f"\n{table}")  # noqa: T201
    excused = Counter(kind for (_, kind), e in EXCEPTIONS.items() for _ in range(e.missed))
    assert tally.missed == +excused or not tally.known, table
