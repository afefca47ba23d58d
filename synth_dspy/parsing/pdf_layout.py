"""Text of a PDF page as paragraphs, and the order in which a person reads what is on the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, TypeVar

Box = tuple[float, float, float, float]

MONOSPACE = re.compile(
    r"mono|courier|consol|typewriter|cmtt|menlo|inconsolata|sourcecode", re.IGNORECASE
)

_WORD = re.compile(r"[^\W\d_]{2,}")
_ITEM = re.compile(r"[•◦▪‣·*\u2013-]\s|\(?\d{1,3}[.)]\s|\[\d+\]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: `size` in points, of most of its characters; so are `font` and `bold`."""

    text: str
    size: float
    font: str
    bold: bool
    box: Box

    @property
    def is_sentence(self) -> bool:
        """Prose or code rather than a label: several words, or a monospaced line."""
        return len(_WORD.findall(self.text)) >= 4 or bool(MONOSPACE.search(self.font))


@dataclass(slots=True)
class Paragraph:
    """Lines that stand together; `box` is x0, y0, x1, y1 in points, y downward."""

    box: Box
    lines: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its lines, joined."""
        return "\n".join(line.text for line in self.lines)


def reflowed(lines: list[Line]) -> str:
    """Prose as one line, words divided at a line's end whole again; short lines stay apart."""
    text = lines[0].text.rstrip()
    wide = max(line.box[2] - line.box[0] for line in lines) * 0.7
    for above, line in pairwise(lines):
        new = line.text.strip()
        if above.box[2] - above.box[0] < wide or _ITEM.match(new):
            text += f"\n{new}"
        elif text.endswith("-") and text[-2:-1].isalpha() and new[:1].islower():
            text = text[:-1] + new
        else:
            text += f" {new}"
    return text


def _on_one_line(one: Line, other: Line) -> Line | None:
    """Both as one line when they stand side by side (MuPDF divides a line at a wide gap)."""
    overlap = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    height = min(one.box[3] - one.box[1], other.box[3] - other.box[1])
    gap = other.box[0] - one.box[2]
    if overlap < 0.6 * height or not -1.0 <= gap <= 4 * one.size:
        return None
    box = (one.box[0], min(one.box[1], other.box[1]), other.box[2], max(one.box[3], other.box[3]))
    longer = max(one, other, key=lambda line: len(line.text))
    return Line(
        f"{one.text.rstrip()} {other.text.lstrip()}", longer.size, longer.font, longer.bold, box
    )


class Placed(Protocol):
    """Anything with a place on the page."""

    @property
    def box(self) -> Box:
        """x0, y0, x1, y1 in points."""
        ...


P = TypeVar("P", bound=Placed)


def paragraphs_of(page: Any, textpage: Any = None) -> list[Paragraph]:
    """The page's paragraphs, in the order of the file.

    Args:
        textpage: of OCR; the page's own text layer when left out.
    """
    import pymupdf

    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP
    content = page.get_text("dict", flags=flags, textpage=textpage)
    made = []
    for block in content["blocks"]:
        paragraph = Paragraph(tuple(block["bbox"]))
        for line in block.get("lines", ()):
            if read := _line(line):
                if paragraph.lines and (one := _on_one_line(paragraph.lines[-1], read)):
                    paragraph.lines[-1] = one
                else:
                    paragraph.lines.append(read)
        if paragraph.lines:
            made.append(paragraph)
    return made


def _line(line: dict[str, Any]) -> Line | None:
    spans = line["spans"]
    text = "".join(span["text"] for span in spans)
    if not text.strip():
        return None
    longest = max(spans, key=lambda span: len(span["text"].strip()))
    bold = bool(longest["flags"] & 16) or "bold" in longest["font"].lower()
    return Line(text, longest["size"], longest["font"], bold, tuple(line["bbox"]))


def reading_order(items: list[P], width: float) -> list[P]:
    """`items` as read: in two columns, the left one first, between what spans both.

    A page counts as two columns when several items stand wholly in each half and few cross the
    middle; otherwise from top to bottom.
    """
    middle = width / 2
    gap = width * 0.02
    left = [i for i in items if i.box[2] <= middle + gap]
    right = [i for i in items if i.box[0] >= middle - gap]
    if len(left) < 3 or len(right) < 3 or _height(left) < 80 or _height(right) < 80:
        return sorted(items, key=lambda i: (round(i.box[1]), i.box[0]))
    sides = {id(i) for i in left} | {id(i) for i in right}
    across = sorted((i for i in items if id(i) not in sides), key=lambda i: i.box[1])
    if len(across) > len(left) + len(right):
        return sorted(items, key=lambda i: (round(i.box[1]), i.box[0]))
    ordered: list[P] = []
    rest = [(0, i) for i in left] + [(1, i) for i in right]
    for bar in [*across, None]:
        limit = bar.box[1] if bar is not None else float("inf")
        above = [pair for pair in rest if pair[1].box[1] < limit]
        rest = [pair for pair in rest if pair[1].box[1] >= limit]
        above.sort(key=lambda pair: (pair[0], round(pair[1].box[1]), pair[1].box[0]))
        ordered.extend(item for _, item in above)
        if bar is not None:
            ordered.append(bar)
    return ordered


def _height(items: list[P]) -> float:
    return max(i.box[3] for i in items) - min(i.box[1] for i in items)
