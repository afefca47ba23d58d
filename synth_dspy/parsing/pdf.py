"""PDFs with PyMuPDF: text in reading order, headings by font size, figures with captions.

Nothing in the file is executed or fetched. Pages are read one at a time.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.pdf_figures import Figure, figures_of
from synth_dspy.parsing.pdf_layout import (
    MONOSPACE,
    Box,
    Line,
    Paragraph,
    paragraphs_of,
    reading_order,
    reflowed,
)
from synth_dspy.parsing.pdf_tables import Table, covered, tables_of, without_lines

if TYPE_CHECKING:
    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

HEADING_RATIO = 1.12  # of the body's font size
MAX_HEADING_CHARS = 160
BODY_SAMPLE_PAGES = 12
OCR_DPI = 200

_CAPTION = re.compile(
    r"\s*(?:fig(?:ure)?|abb(?:ildung)?|scheme|plot|table|tab|listing)\b[. ]*\d", re.IGNORECASE
)


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A PDF as a document; `stats` has pages, text_chars, no_text_layer, slides.

    Raises:
        DocumentError: `encrypted`, `not_a_pdf`, `unreadable`, `too_many_pages`.
    """
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    if b"%PDF-" not in data[:1024]:
        raise DocumentError("not_a_pdf", f"{file.path} has no PDF header in its first 1024 bytes")
    try:
        with pymupdf.open(stream=data, filetype="pdf") as pdf:
            _check(pdf, file, options)
            return _Reader(pdf, DocumentBuilder(file, images, options)).read()
    except DocumentError:
        raise
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as error:
        raise DocumentError("unreadable", f"{file.path}: {error}") from error


def _check(pdf: Any, file: SourceFile, options: ParseOptions) -> None:
    if pdf.needs_pass:
        raise DocumentError("encrypted", f"{file.path} needs a password; save a copy without one")
    if pdf.page_count == 0:
        raise DocumentError("unreadable", f"{file.path} has no page")
    if pdf.page_count > options.max_pages:
        raise DocumentError(
            "too_many_pages",
            f"{file.path} has {pdf.page_count} pages, max_pages is {options.max_pages}; divide it",
        )


class _Reader:
    """One open PDF."""

    def __init__(self, pdf: Any, builder: DocumentBuilder) -> None:
        self.pdf = pdf
        self.builder = builder
        self.stats = Counter(pages=pdf.page_count, text_chars=0, no_text_layer=0, damaged_pages=0)
        self.sizes: tuple[float, ...] = ()
        self.body_size = 0.0
        self.slides = False

    def read(self) -> Document:
        import pymupdf

        self._measure()
        self.slides = self._is_slide_deck()
        for number in range(self.pdf.page_count):
            try:
                page = self.pdf[number]
                self._page(page, number + 1)
            except (RuntimeError, ValueError, IndexError, pymupdf.mupdf.FzErrorBase):
                self.stats["damaged_pages"] += 1
        if self.stats["damaged_pages"] == self.pdf.page_count:
            raise DocumentError("unreadable", f"{self.builder.file.path}: no page can be read")
        title = str((self.pdf.metadata or {}).get("title") or "")
        stats = {k: v for k, v in self.stats.items() if v or k in ("pages", "text_chars")}
        return self.builder.finish(
            title=""
            if title.lower().endswith((".doc", ".docx", ".ppt", ".pptx", ".tex", ".dvi"))
            else title,
            stats={**stats, **({"slides": self.pdf.page_count} if self.slides else {})},
        )

    def _measure(self) -> None:
        """The body's font size, and the larger ones that headings have, largest first."""
        sizes: Counter[float] = Counter()
        step = max(1, self.pdf.page_count // BODY_SAMPLE_PAGES)
        for number in range(0, self.pdf.page_count, step):
            with contextlib.suppress(RuntimeError, ValueError, IndexError):
                for paragraph in paragraphs_of(self.pdf[number]):
                    for line in paragraph.lines:
                        sizes[round(line.size, 1)] += len(line.text)
        if sizes:
            self.body_size = sizes.most_common(1)[0][0]
            larger = sorted((s for s in sizes if s >= self.body_size * HEADING_RATIO), reverse=True)
            self.sizes = tuple(larger)

    def _is_slide_deck(self) -> bool:
        """Landscape pages throughout, and little text on each."""
        if self.pdf.page_count < 2:
            return False
        try:
            rects = [self.pdf[n].rect for n in range(min(self.pdf.page_count, 5))]
        except (RuntimeError, ValueError):
            return False
        return all(rect.width > rect.height * 1.2 for rect in rects)

    def _page(self, page: Any, number: int) -> None:
        paragraphs = paragraphs_of(page)
        if not any(p.text.strip() for p in paragraphs):
            self.stats["no_text_layer"] += 1
            paragraphs = self._recognised(page)
        self.stats["text_chars"] += sum(len("".join(p.text.split())) for p in paragraphs)
        figures = figures_of(page, paragraphs, self.builder.options)
        _give_captions(figures, paragraphs)
        tables = tables_of(page) if self.builder.options.pdf_tables else []
        if tables:  # what a table says, and its rules, are in the table
            paragraphs = without_lines(paragraphs, tables)
            figures = [f for f in figures if f.origin != "pdf_vector" or not covered(f.box, tables)]
        if not self.slides:  # a label inside a drawing is in the picture already
            drawn = [figure.box for figure in figures if figure.origin == "pdf_vector"]
            paragraphs = [p for p in paragraphs if not _is_label(p, drawn)]
        items: list[Paragraph | Figure | Table] = [*paragraphs, *figures, *tables]
        for item in reading_order(items, page.rect.width):
            if isinstance(item, Figure):
                shown = self._show(item, number)
                self.builder.add("image", shown, page=number)
            elif isinstance(item, Table):
                self.builder.add("table", clean(item.text), page=number)
            else:
                self._paragraph(item, number)

    def _show(self, figure: Figure, number: int) -> str:
        return self.builder.image(
            figure.ref, figure.origin, figure.read, caption=figure.caption, page=number,
            key=figure.ref if figure.ref.startswith("xref") else "",
        )  # fmt: skip

    def _paragraph(self, paragraph: Paragraph, number: int) -> None:
        run: list[Line] = []
        level = 0
        for line in paragraph.lines:
            found = self._level(line)
            if run and found != level:
                self._lines(run, level, number)
                run = []
            level = found
            run.append(line)
        if run:
            self._lines(run, level, number)

    def _lines(self, lines: list[Line], level: int, number: int) -> None:
        text = clean("\n".join(line.text.rstrip() for line in lines))
        code = sum(len(line.text) for line in lines if MONOSPACE.search(line.font))
        if level and len(text) <= MAX_HEADING_CHARS:
            self.builder.add("heading", " ".join(text.split()), level=level, page=number)
        elif code > 0.8 * len(text) and len(lines) > 1:
            self.builder.add_code(text, "", fenced=text, page=number)
        else:
            self.builder.add("text", clean(reflowed(lines)), page=number)

    def _level(self, line: Line) -> int:
        if not self.body_size or not any(c.isalpha() for c in line.text):
            return 0
        if line.size >= self.body_size * HEADING_RATIO:
            size = round(line.size, 1)
            rank = sum(1 for other in self.sizes if other > size)
            return min(rank + 1, 6)
        numbered = re.match(r"\d+(\.\d+)*\.?\s+[A-Z]", line.text)
        return min(len(self.sizes) + 1, 6) if line.bold and numbered and len(line.text) < 100 else 0

    def _recognised(self, page: Any) -> list[Paragraph]:
        """The page's text by OCR, where Tesseract is installed; else nothing."""
        textpage = recognised(page) if self.builder.options.pdf_ocr else None
        if textpage is None:
            return []
        self.stats["ocr_pages"] += 1
        return paragraphs_of(page, textpage)


def recognised(page: Any) -> Any:
    """What Tesseract reads on a page, as PyMuPDF's text page; None where it is not installed."""
    import shutil

    if not shutil.which("tesseract"):
        return None
    try:
        return page.get_textpage_ocr(dpi=OCR_DPI, full=True)
    except (RuntimeError, ValueError, OSError):
        return None


def _is_label(paragraph: Paragraph, drawn: list[Box]) -> bool:
    x0, y0, x1, y1 = paragraph.box
    return len(paragraph.text) < 80 and any(
        x0 >= box[0] - 2 and y0 >= box[1] - 2 and x1 <= box[2] + 2 and y1 <= box[3] + 2
        for box in drawn
    )


def _give_captions(figures: list[Figure], paragraphs: list[Paragraph]) -> None:
    """Each figure gets the nearest paragraph that reads as a caption and overlaps it sideways."""
    for paragraph in paragraphs:
        if not _CAPTION.match(paragraph.text):
            continue
        left, top, right, bottom = paragraph.box
        near: list[tuple[float, Figure]] = []
        for figure in figures:
            x0, y0, x1, y1 = figure.box
            if min(right, x1) - max(left, x0) > 0 and not figure.caption:
                gap = top - y1 if top >= y1 - 4 else y0 - bottom
                if -4 <= gap < 60:
                    near.append((abs(gap), figure))
        if near:
            best = min(near, key=lambda pair: pair[0])[1]
            best.caption = " ".join(clean(paragraph.text).split())[:500]
