"""Word documents, by python-docx (extra `office`): headings, paragraphs, tables and pictures.

Paragraphs and tables come in the order of the document; headers, footers and comments are left
out.
"""

from __future__ import annotations

import io
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.archive import check_archive
from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.tables import table_text

if TYPE_CHECKING:
    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

_LEVEL = re.compile(r"heading (\d)", re.IGNORECASE)
_EMBED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"
_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
_PROPERTIES = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A Word document as a document.

    Raises:
        DocumentError: `invalid_docx`, `too_large`.
    """
    check_archive(data, file, "docx")
    import docx
    from docx.opc.exceptions import OpcError
    from docx.table import Table

    builder = DocumentBuilder(file, images, options)
    try:
        word = docx.Document(io.BytesIO(data))
        for item in word.iter_inner_content():
            if isinstance(item, Table):
                _add_table(builder, item)
            else:
                _add_paragraph(builder, word, item)
        return builder.finish(title=word.core_properties.title or "")
    except (OpcError, KeyError, ValueError) as error:
        raise DocumentError("invalid_docx", f"{file.path}: {error}") from error


def _add_paragraph(builder: DocumentBuilder, word: Any, paragraph: Any) -> None:
    style = paragraph.style.name if paragraph.style is not None else ""
    text = clean(paragraph.text)
    found = _LEVEL.match(style or "")
    if found or style == "Title":
        builder.add("heading", " ".join(text.split()), level=int(found[1]) if found else 1)
    elif (style or "").startswith("List"):
        builder.add("text", f"- {text}" if text.strip() else "")
    else:
        builder.add("text", text)
    for drawing in paragraph._p.iter(_BLIP):
        part = word.part.related_parts.get(drawing.get(_EMBED))
        shown = builder.image(
            str(part.partname) if part is not None else "",
            "attachment",
            partial(_bytes, part),
            alt=next((p.get("descr", "") for p in paragraph._p.iter(_PROPERTIES)), ""),
        )
        builder.add("image", shown)


def _bytes(part: Any) -> bytes:
    if part is None:
        raise ImageError("missing", "a picture that lies outside of the document")
    return bytes(part.blob)


def _add_table(builder: DocumentBuilder, table: Any) -> None:
    rows = [[" ".join(cell.text.split()) for cell in row.cells] for row in table.rows]
    builder.add("table", clean(table_text(rows)))
