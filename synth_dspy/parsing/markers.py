"""Image markers: how an image stands in a document's text, and how one leaves it again.

A marker is `[IMAGE:<id>]`. Every image of a document has exactly one in its text, in order.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from synth_dspy.records import Document

MARKER = re.compile(r"\[IMAGE:([0-9a-f]{16})\]")


def marker(image_id: str) -> str:
    """How the image stands in the text."""
    return f"[IMAGE:{image_id}]"


def marker_ids(text: str) -> list[str]:
    """The ids of the markers in `text`, in order."""
    return MARKER.findall(text)


def without_markers(text: str) -> str:
    """`text` with no marker, and no more than one empty line where one stood."""
    return re.sub(r"\n{3,}", "\n\n", MARKER.sub("", text)).strip()


def defused(text: str) -> str:
    """`text` in which nothing that an author wrote can be taken for a marker."""
    return text.replace("[IMAGE:", "[IMAGE :")


def without_images(document: Document, image_ids: Collection[str]) -> Document:
    """The document without these images: no marker, no entry, every span moved to where it now is.

    A marker that stood alone takes its empty line with it. Blocks that held nothing else go.
    """
    gone = set(image_ids)
    cuts = [_widened(document.text, m) for m in MARKER.finditer(document.text) if m[1] in gone]
    images = tuple(image for image in document.images if image.id not in gone)
    if not cuts:
        return replace(document, images=images)
    moved = _mapping(cuts)
    text, position = [], 0
    for start, end in cuts:
        text.append(document.text[position:start])
        position = end
    text.append(document.text[position:])
    blocks = [replace(b, start=moved(b.start), end=moved(b.end)) for b in document.blocks]
    code = [replace(c, start=moved(c.start), end=moved(c.end)) for c in document.code_blocks]
    return replace(
        document,
        text="".join(text),
        blocks=tuple(b for b in blocks if b.start < b.end),
        code_blocks=tuple(code),
        images=images,
    )


def _widened(text: str, found: re.Match[str]) -> tuple[int, int]:
    """The marker's span, with the white space that would be left over after it."""
    start, end = found.span()
    before = start == 0 or text[start - 1] == "\n"
    after = end == len(text) or text[end] == "\n"
    if before and after:
        while end < len(text) and text[end] == "\n":
            end += 1
    elif before or text[start - 1].isspace():
        while end < len(text) and text[end] == " ":
            end += 1
    return start, end


def _mapping(cuts: list[tuple[int, int]]) -> Callable[[int], int]:
    starts = [start for start, _ in cuts]
    removed = [0]
    for start, end in cuts:
        removed.append(removed[-1] + end - start)

    def moved(position: int) -> int:
        index = bisect_right(starts, position)
        if index and position < cuts[index - 1][1]:
            return cuts[index - 1][0] - removed[index - 1]
        return position - removed[index]

    return moved
