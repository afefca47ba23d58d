"""A document's text cut into pieces that a chunk may begin and end with; they tile the text.

A piece is what should stay together: a heading with what follows, a notebook's code cell with its
output, its pictures and the prose that introduces it. A piece longer than the limit is cut at
empty lines, then lines, sentences, words, and at last anywhere, but never inside a marker.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_dspy.parsing.markers import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dspy.records import Block, Document

_CUTS = tuple(re.compile(p) for p in (r"\n[ \t]*\n", r"\n", r"(?<=[.!?;:])\s", r"\s"))


@dataclass(frozen=True, slots=True)
class Piece:
    """`document.text[start:end]`.

    Attributes:
        level: of the heading that it begins with, 1 to 6; 0 when it begins with none.
        page: 1-based page that it begins on, 0 when the document has none.
        code, images: how many code blocks and markers begin in it.
    """

    start: int
    end: int
    level: int = 0
    page: int = 0
    code: int = 0
    images: int = 0


def pieces_of(
    document: Document, *, max_length: int, cut_length: int, max_code: int, max_images: int
) -> list[Piece]:
    """Pieces in order, the first from 0, each from where the one before ends.

    What is longer than `max_length` is cut into parts of at most `cut_length`. No piece holds
    more than `max_code` code blocks or `max_images` markers.
    """
    text = document.text
    groups = [_span(group) for group in _groups(document.blocks, max_length)]
    blocks = {block.start: block for block in document.blocks}
    code = [block.start for block in document.code_blocks]
    marks = [found.span() for found in MARKER.finditer(text)]
    pieces: list[Piece] = []
    for start, end in _tiled(groups, len(text)):
        inner = code[bisect_left(code, start) : bisect_left(code, end)]
        inside = marks[bisect_left(marks, (start, 0)) : bisect_left(marks, (end, 0))]
        fits = end - start <= max_length
        if fits and len(inner) <= max_code and len(inside) <= max_images:
            parts = [(start, end)]
        else:
            parts = list(_cut(text, start, end, cut_length, max_code, max_images, inner, inside))
        for low, high in parts:
            block = blocks.get(_solid(text, low))
            pieces.append(
                Piece(
                    low,
                    high,
                    block.level if block and block.kind == "heading" else 0,
                    (block.page or 0) if block else (pieces[-1].page if pieces else 0),
                    sum(low <= s < high for s in inner),
                    sum(low <= m[0] < high for m in inside),
                )
            )
    return pieces


def _solid(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _span(group: list[Block]) -> tuple[int, int]:
    return group[0].start, group[-1].end


def _tiled(spans: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """The same spans, each stretched to where the next begins; the first begins at 0."""
    for index, (start, _) in enumerate(spans):
        end = spans[index + 1][0] if index + 1 < len(spans) else length
        yield (0 if index == 0 else start), end
    if not spans and length:
        yield 0, length


def _groups(blocks: tuple[Block, ...], max_length: int) -> list[list[Block]]:
    """Blocks that stay together where they fit: `max_length` bounds what prose is pulled along."""
    groups: list[list[Block]] = []
    for block in blocks:
        if groups and _belongs(groups[-1], block, max_length):
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _belongs(group: list[Block], block: Block, max_length: int) -> bool:
    if block.end - group[0].start > max_length:
        return False
    last = group[-1]
    if last.kind == "heading":
        return block.kind != "heading" or block.level > last.level
    if block.kind == "heading":
        return False
    if block.kind == "output" or (
        block.kind == "image" and last.kind in ("code", "output", "image")
    ):
        return last.cell == block.cell
    if block.kind == "code":  # the paragraph before introduces it
        introduced = len(group) == 1 or group[-2].kind == "heading"
        return last.kind in ("text", "image") and introduced and last.end - last.start < 800
    return False


def _cut(
    text: str,
    start: int,
    end: int,
    max_length: int,
    max_code: int,
    max_images: int,
    code: list[int],
    marks: list[tuple[int, int]],
) -> Iterator[tuple[int, int]]:
    """Spans within all three limits that tile `text[start:end]`."""
    while start < end:
        limit = min(end, start + max_length)
        first = bisect_left(code, start)
        if bisect_left(code, limit) - first > max_code:
            limit = code[first + max_code]
        first = bisect_left(marks, (start, 0))
        if bisect_left(marks, (limit, 0)) - first > max_images:
            limit = marks[first + max_images][0]
        stop = limit if limit == end else _best_cut(text, start, limit)
        before = bisect_left(marks, (stop, 0)) - 1
        if before >= first and stop < marks[before][1]:  # inside a marker
            low, high = marks[before]
            stop = low if low > start else high
        yield start, stop
        start = stop


def _best_cut(text: str, start: int, limit: int) -> int:
    """The last good place to cut in the second half of the span, or the limit itself."""
    half = start + (limit - start) // 2
    if text[limit - 1] == "\n":
        return limit
    for pattern in _CUTS:
        places = [found.end() for found in pattern.finditer(text, half, limit)]
        if places:
            return places[-1]
    return limit
