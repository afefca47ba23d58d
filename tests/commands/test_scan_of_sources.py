"""A secret in a document of any kind is written nowhere, and the card says that it was there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pyarrow
import pymupdf
from docx import Document
from pptx import Presentation
from pyarrow import parquet

from synth_dspy.dataset.scan_policy import ScanPolicy
from synth_dspy.outcomes import Kept
from synth_dspy.parsing import ParseOptions
from synth_dspy.records import SourceFile
from synth_dspy.stages.parse import Parse
from tests.commandline import Result, overrides

# Put together here, so that no scanner of this repository takes it for a real one.
KEY = "AKIA" + "Q3EGRIZ7WS2LKPOB"
SAID = f"The key of the station is {KEY} and everybody who reads the gauge writes it down."


def notebook(path: Path) -> None:
    output = nbformat.v4.new_output("stream", text=f"connected as {KEY}")
    cells = [nbformat.v4.new_markdown_cell("# Station"), nbformat.v4.new_code_cell("connect()")]
    cells[1].outputs = [output]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def pdf(path: Path) -> None:
    with pymupdf.open() as document:
        page: Any = document.new_page()
        page.insert_textbox((50, 50, 550, 300), SAID)
        document.save(path)


def epub(path: Path) -> None:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="b.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="c" href="c.xhtml" '
        'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine>'
        "</package>"
    )
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("META-INF/container.xml", container)
        book.writestr("b.opf", package)
        book.writestr("c.xhtml", f"<html><body><h1>Station</h1><p>{SAID}</p></body></html>")


def docx(path: Path) -> None:
    document: Any = Document()
    document.add_paragraph(SAID)
    document.save(str(path))


def pptx(path: Path) -> None:
    slides: Any = Presentation()
    slides.slides.add_slide(slides.slide_layouts[1]).placeholders[1].text = SAID
    slides.save(str(path))


def rows(path: Path) -> None:
    parquet.write_table(pyarrow.table({"text": [SAID, "Rain."]}), path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "md": lambda path: path.write_text(f"# Station\n\n{SAID}\n"),
    "mdx": lambda path: path.write_text(f"# Station\n\n<Note>{SAID}</Note>\n"),
    "ipynb": notebook,
    "pdf": pdf,
    "txt": lambda path: path.write_text(f"{SAID}\n"),
    "html": lambda path: path.write_text(f"<h1>Station</h1><p>{SAID}</p>"),
    "csv": lambda path: path.write_text(f'name,text\nstation,"{SAID}"\n'),
    "jsonl": lambda path: path.write_text(json.dumps({"text": SAID}) + "\n"),
    "parquet": rows,
    "epub": epub,
    "docx": docx,
    "pptx": pptx,
}


def test_a_facts_file_is_scanned_as_any_other(tmp_path: Path) -> None:
    data = f"{SAID}\n".encode()
    (tmp_path / "facts.txt").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    file = SourceFile("facts", str(tmp_path), "facts.txt", "facts", sha256, len(data))
    stage = Parse(tmp_path / "run", ParseOptions(), policy=ScanPolicy("mask", "mask"))
    try:
        outcome = asyncio.run(stage.process(file))
    finally:
        stage.close()
    assert isinstance(outcome, Kept)
    (document,) = outcome.outputs
    assert document.stats["secrets"] == 1
    assert KEY not in document.text


def test_a_secret_in_a_document_of_any_kind_is_found_and_written_nowhere(
    project: Path, small: Callable[..., Result]
) -> None:
    (project / "docs" / "rain.md").unlink()
    for kind, write in WRITERS.items():
        write(project / "docs" / f"station.{kind}")
    source = "{path: docs, include_patterns: ['*']}"
    done = small("parse", *overrides(sources=f"[{source}]", dataset__personal_data="mask"))
    assert done.code == 0, done.err
    run_dir = project / "outputs" / "small"
    found = [json.loads(line)["outputs"][0] for line in (run_dir / "parsed/journal.jsonl").open()]
    assert {one["path"].rpartition(".")[2]: one["stats"]["secrets"] for one in found} == (
        dict.fromkeys(WRITERS, 1)
    )
    for path in run_dir.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
