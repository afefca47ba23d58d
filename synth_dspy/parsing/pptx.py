"""PowerPoint, by python-pptx (extra `office`): slides with text, tables, pictures and notes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.archive import check_archive
from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.tables import table_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

MAX_GROUP_DEPTH = 16


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A deck as a document; `page` is the slide, from 1.

    Raises:
        DocumentError: `invalid_pptx`, `too_large`.
    """
    check_archive(data, file, "pptx")
    import pptx
    from pptx.exc import PythonPptxError

    builder = DocumentBuilder(file, images, options)
    try:
        deck = pptx.Presentation(io.BytesIO(data))
        for number, slide in enumerate(deck.slides, 1):
            _add_slide(builder, slide, number)
        title = deck.core_properties.title or ""
        return builder.finish(title=title, stats={"slides": len(deck.slides)})
    except (PythonPptxError, KeyError, ValueError) as error:
        raise DocumentError("invalid_pptx", f"{file.path}: {error}") from error


def _add_slide(builder: DocumentBuilder, slide: Any, number: int) -> None:
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        heading = " ".join(clean(title.text_frame.text).split())
        builder.add("heading", heading, level=1, page=number)
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            rows = [[" ".join(c.text.split()) for c in row.cells] for row in shape.table.rows]
            builder.add("table", clean(table_text(rows)), page=number)
        elif shape.has_text_frame:
            text = "\n".join(p.text for p in shape.text_frame.paragraphs if p.text.strip())
            builder.add("text", clean(text), page=number)
        elif hasattr(type(shape), "image"):
            _add_picture(builder, shape, number)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        builder.add("text", clean(slide.notes_slide.notes_text_frame.text), page=number)


def _shapes(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """Shapes from top to bottom, those of groups among them."""
    for shape in sorted(shapes, key=lambda s: (s.top or 0, s.left or 0)):
        inner = getattr(shape, "shapes", None)
        if inner is not None and depth < MAX_GROUP_DEPTH:
            yield from _shapes(inner, depth + 1)
        else:
            yield shape


def _add_picture(builder: DocumentBuilder, shape: Any, number: int) -> None:
    def read() -> bytes:
        try:
            return bytes(shape.image.blob)
        except (AttributeError, KeyError, ValueError) as error:
            raise ImageError("missing", str(error)) from error

    alt = shape._element._nvXxPr.cNvPr.get("descr", "")
    shown = builder.image(shape.name, "attachment", read, alt=alt, page=number)
    builder.add("image", shown, page=number)
