"""The parsers: which file endings each takes and where it is. A new parser is one line here.

A parser is a function `(data, file, images, options) -> Document` that raises DocumentError for
what it cannot read. It is imported when its first file comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol, cast

from synth_dspy.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, DocumentKind, SourceFile


class Parse(Protocol):
    """Bytes of a file to a document."""

    def __call__(
        self, data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions
    ) -> Document:
        """Raises DocumentError."""
        ...


@dataclass(frozen=True, slots=True)
class Parser:
    """One line of the registry.

    Attributes:
        function: `package.module:name`.
        asked_for: files of this kind are read only when a pattern, or their own path, names them.
        shows_files: its documents show images that lie beside them.
        needs: `(module, extra)` of a library that only an extra of this package installs.
    """

    kind: DocumentKind
    suffixes: tuple[str, ...]
    function: str
    asked_for: bool = False
    shows_files: bool = False
    needs: tuple[str, str] | None = None

    def load(self) -> Parse:
        """The function itself."""
        module, _, name = self.function.partition(":")
        return cast("Parse", getattr(import_module(module), name))


# fmt: off
PARSERS: tuple[Parser, ...] = (
    Parser("ipynb", (".ipynb",), "synth_dspy.parsing.notebook:parse", shows_files=True),
    Parser("mdx", (".mdx",), "synth_dspy.parsing.markdown:parse", shows_files=True),
    Parser("md", (".md", ".markdown"), "synth_dspy.parsing.markdown:parse", shows_files=True),
    Parser("pdf", (".pdf",), "synth_dspy.parsing.pdf:parse"),
    Parser("facts", (), "synth_dspy.parsing.markdown:parse", shows_files=True),
    Parser("txt", (".txt", ".text"), "synth_dspy.parsing.plain:parse", asked_for=True),
    Parser("html", (".html", ".htm", ".xhtml"), "synth_dspy.parsing.html:parse",
           asked_for=True, shows_files=True),
    Parser("csv", (".csv", ".tsv"), "synth_dspy.parsing.rows:parse_csv", asked_for=True),
    Parser("jsonl", (".jsonl", ".ndjson"), "synth_dspy.parsing.rows:parse_jsonl", asked_for=True),
    Parser("parquet", (".parquet",), "synth_dspy.parsing.rows:parse_parquet", asked_for=True),
    Parser("epub", (".epub",), "synth_dspy.parsing.epub:parse", asked_for=True),
    Parser("docx", (".docx",), "synth_dspy.parsing.docx:parse", asked_for=True,
           needs=("docx", "office")),
    Parser("pptx", (".pptx",), "synth_dspy.parsing.pptx:parse", asked_for=True,
           needs=("pptx", "office")),
)
# fmt: on


def kind_of(path: str, parsers: Sequence[Parser] = PARSERS) -> DocumentKind | None:
    """The kind of document that a path's ending promises, or None."""
    suffix = PurePosixPath(path).suffix.lower()
    return next((parser.kind for parser in parsers if suffix in parser.suffixes), None)


def parser_of(kind: str, parsers: Sequence[Parser] = PARSERS) -> Parser | None:
    """The parser of a kind, or None."""
    return next((parser for parser in parsers if parser.kind == kind), None)


def check_extras(paths: Iterable[str], parsers: Sequence[Parser] = PARSERS) -> None:
    """Say at once, rather than once a document, that a library is missing.

    Raises:
        SetupError: one of `paths` needs an extra that is not installed; the text names
            the command that does it.
    """
    waiting = {suffix: p for p in parsers if p.needs for suffix in p.suffixes}
    for path in paths:
        parser = waiting.pop(PurePosixPath(path).suffix.lower(), None)
        if parser and parser.needs and find_spec(parser.needs[0]) is None:
            module, extra = parser.needs
            raise SetupError(
                f"{path!r} is read with the Python package {module!r}, which is not installed. "
                f"Install it with: pip install 'synth-dspy[{extra}]'. Or leave such files out "
                "with the source's exclude_patterns."
            )
