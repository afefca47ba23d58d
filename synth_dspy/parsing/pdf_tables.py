"""Tables of a PDF page, by PyMuPDF's finder, and what else on the page they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.parsing.pdf_layout import Paragraph
from synth_dspy.parsing.tables import table_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dspy.parsing.pdf_layout import Box


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its place: `box` is x0, y0, x1, y1 in points; `text` is Markdown."""

    box: Box
    text: str


def tables_of(page: Any) -> list[Table]:
    """The page's tables of at least two rows and two columns; none where the finder gives up."""
    try:
        found = page.find_tables().tables
        read = [(tuple(table.bbox), table.extract()) for table in found]
    except (RuntimeError, ValueError, IndexError, TypeError):
        return []
    tables = []
    for box, cells in read:
        rows = [[" ".join((cell or "").split()) for cell in row] for row in cells]
        rows = [row for row in rows if any(row)]
        if len(rows) > 1 and len(rows[0]) > 1:
            tables.append(Table(box, table_text(rows)))
    return tables


def without_lines(paragraphs: Sequence[Paragraph], tables: Sequence[Table]) -> list[Paragraph]:
    """Paragraphs without the lines whose middle lies in a table, and none that had no other."""
    kept = []
    for paragraph in paragraphs:
        lines = [line for line in paragraph.lines if not covered(line.box, tables)]
        if len(lines) == len(paragraph.lines):
            kept.append(paragraph)
        elif lines:
            sides = list(zip(*(line.box for line in lines), strict=True))
            box = (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
            kept.append(Paragraph(box, lines))
    return kept


def covered(box: Box, tables: Sequence[Table]) -> bool:
    """Whether the middle of `box` lies in a table."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(t.box[0] <= x <= t.box[2] and t.box[1] <= y <= t.box[3] for t in tables)
