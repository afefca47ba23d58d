"""A new parser is a function and one line; what fails in a parser is an error of that document."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from synth_dspy.errors import DocumentError, SetupError
from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.builder import DocumentBuilder
from synth_dspy.parsing.registry import PARSERS, Parser, check_extras, kind_of
from synth_dspy.records import Document, SourceFile
from synth_dspy.sources.files import list_files
from tests.parsing.samples import check, listed, picture, write


def parse_rst(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A parser as somebody would add it."""
    builder = DocumentBuilder(file, images, options)
    for part in data.decode().split("\n\n"):
        directive, _, ref = part.partition(":: ")
        if directive == ".. image":
            part = builder.image(ref.strip(), "directive")
        builder.add("text", part)
    return builder.finish()


def broken(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A parser with a bug."""
    raise ZeroDivisionError("oops")


def endless(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A parser that a document nested without end is too much for."""
    return endless(data, file, images, options)


def test_a_new_parser_is_a_function_and_one_line(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.rst", "Rain\n\n.. image:: gauge.png")
    write(tmp_path, "docs/gauge.png", picture())
    parsers = (*PARSERS, Parser("rst", (".rst",), f"{__name__}:parse_rst", shows_files=True))
    (file,), _ = list_files(tmp_path / "docs", name="docs", include=[], exclude=[], parsers=parsers)
    document = parse_file(
        file, images=ImageStore(tmp_path), options=ParseOptions(), parsers=parsers
    )
    check(document)
    assert (document.kind, document.text[:4]) == ("rst", "Rain")
    assert [image.ref for image in document.images] == ["gauge.png"]


def test_a_fault_in_a_parser_is_an_error_of_the_document(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "x")
    parsers = (Parser("md", (".md",), f"{__name__}:broken"),)
    with pytest.raises(DocumentError, match="oops") as caught:
        parse_file(
            listed(tmp_path, "a.md"), images=ImageStore(tmp_path), options=ParseOptions(),
            parsers=parsers,
        )  # fmt: skip
    assert caught.value.reason == "parser_error"


@pytest.mark.parametrize(
    ("name", "data"),
    [("deep/latin.md", b"caf\xe9"), ("deep/cut.ipynb", b"{"), ("deep/list.ipynb", b"[]"),
     ("deep/no.pdf", b"<html>"), ("deep/rows.jsonl", b"{")],
)  # fmt: skip
def test_every_refusal_of_a_document_says_which_file_once(
    tmp_path: Path, name: str, data: bytes
) -> None:
    write(tmp_path, name, data)
    with pytest.raises(DocumentError) as caught:
        parse_file(listed(tmp_path, name), images=ImageStore(tmp_path), options=ParseOptions())
    assert caught.value.detail.count(name) == 1


def test_a_kind_that_no_parser_reads_is_unsupported(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "x")
    with pytest.raises(DocumentError, match=r"no parser reads 'md' \(a\.md\)") as caught:
        parse_file(
            listed(tmp_path, "a.md"), images=ImageStore(tmp_path), options=ParseOptions(),
            parsers=(),
        )  # fmt: skip
    assert caught.value.reason == "unsupported"


def test_a_document_that_nests_without_end_is_too_complex(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "x")
    parsers = (Parser("md", (".md",), f"{__name__}:endless"),)
    with pytest.raises(DocumentError, match=r"a\.md: RecursionError") as caught:
        parse_file(
            listed(tmp_path, "a.md"), images=ImageStore(tmp_path), options=ParseOptions(),
            parsers=parsers,
        )  # fmt: skip
    assert caught.value.reason == "too_complex"


def test_a_file_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "x")
    file = listed(tmp_path, "a.md")
    (tmp_path / "a.md").unlink()
    with pytest.raises(DocumentError, match="unreadable"):
        parse_file(file, images=ImageStore(tmp_path), options=ParseOptions())


def test_a_file_that_changed_since_it_was_listed_is_tried_again_later(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "x")
    file = replace(listed(tmp_path, "a.md"), sha256=hashlib.sha256(b"other").hexdigest())
    with pytest.raises(DocumentError, match="changed") as caught:
        parse_file(file, images=ImageStore(tmp_path), options=ParseOptions())
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a/B.IPYNB", "ipynb"), ("a.mdx", "mdx"), ("a.markdown", "md"), ("a.pdf", "pdf"),
     ("a.txt", "txt"), ("a.rst", None), ("md", None)],
)  # fmt: skip
def test_the_ending_says_the_kind(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


def test_importing_the_package_loads_no_parser() -> None:
    import subprocess

    heavy = "pymupdf nbformat markdown_it PIL resvg_py pathspec yaml pyarrow docx"
    code = (
        "import sys, synth_dspy.parsing, synth_dspy.sources.files;"
        f"print([m for m in {heavy.split()!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_parser_of_the_registry_is_there() -> None:
    assert all(callable(parser.load()) for parser in PARSERS)
    assert len({parser.kind for parser in PARSERS}) == len(PARSERS)


def test_a_missing_extra_names_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_dspy.parsing.registry.find_spec", lambda name: None)
    check_extras(["a.md", "b.pdf"])
    with pytest.raises(SetupError, match=r"'b\.docx'.*pip install 'synth-dspy\[office\]'"):
        check_extras(["a.md", "b.docx"])
