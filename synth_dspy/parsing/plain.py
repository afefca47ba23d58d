"""Plain text: paragraphs as they stand. A line of `=` or `-` below another makes it a heading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.encoding import decode_text

if TYPE_CHECKING:
    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_UNDERLINED = re.compile(r"(\S[^\n]{0,119})\n(={3,}|-{3,})[ \t]*(?:\n|\Z)")


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A text file as a document.

    Raises:
        DocumentError: `encoding`, when the file is not text.
    """
    builder = DocumentBuilder(file, images, options)
    for paragraph in _PARAGRAPHS.split(clean(decode_text(data))):
        text = paragraph.strip("\n")
        if found := _UNDERLINED.match(text):
            builder.add("heading", found[1], level=1 if found[2][0] == "=" else 2)
            text = text[found.end() :]
        builder.add("text", text)
    return builder.finish()
