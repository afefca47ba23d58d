"""The parsers: which file endings each takes and where it is. A new parser is one line here.

A parser is a function `(data, file, images, options) -> Document` that raises DocumentError for
what it cannot read. It is imported when its first file comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """One line of the registry: `function` is `package.module:name`."""

    kind: DocumentKind
    suffixes: tuple[str, ...]
    function: str

    def load(self) -> Parse:
        """The function itself."""
        module, _, name = self.function.partition(":")
        return cast("Parse", getattr(import_module(module), name))


PARSERS: tuple[Parser, ...] = (
    Parser("ipynb", (".ipynb",), "synth_dspy.parsing.notebook:parse"),
    Parser("mdx", (".mdx",), "synth_dspy.parsing.markdown:parse"),
    Parser("md", (".md", ".markdown"), "synth_dspy.parsing.markdown:parse"),
    Parser("pdf", (".pdf",), "synth_dspy.parsing.pdf:parse"),
    Parser("facts", (), "synth_dspy.parsing.markdown:parse"),
)


def kind_of(path: str, parsers: Sequence[Parser] = PARSERS) -> DocumentKind | None:
    """The kind of document that a path's ending promises, or None."""
    suffix = PurePosixPath(path).suffix.lower()
    return next((parser.kind for parser in parsers if suffix in parser.suffixes), None)


def parser_of(kind: str, parsers: Sequence[Parser] = PARSERS) -> Parser | None:
    """The parser of a kind, or None."""
    return next((parser for parser in parsers if parser.kind == kind), None)
