"""Indentation of a page: which of it makes code, and which only shows how HTML was nested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = "\x03"  # stands where a tag was taken out

_INDENTED = re.compile(r"(?:\A|\n[ \t]*\n)((?:(?: {4}|\t)[^\n]*(?:\n|\Z)|[ \t]*\n(?= {4}|\t))+)")
_NO_CODE_AFTER = re.compile(r"\s|[-*+] |\d+[.)] |<|!!!|\?\?\?|===|///|:|\[\^")


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the indented blocks that are code: not those in a list, an admonition or a tag."""
    if "\n    " not in text and "\n\t" not in text:
        return
    for block in _INDENTED.finditer(text):
        if not _NO_CODE_AFTER.match(_line_before(text, block.start(1))):
            yield block.span(1)


def _line_before(text: str, end: int) -> str:
    """The last line before `end` that is not empty; nothing else of the text is copied."""
    while end and text[end - 1].isspace():
        end -= 1
    return text[text.rfind("\n", 0, end) + 1 : end]


def dedented(text: str) -> str:
    """Lines of HTML without their indentation, which would read as code once the tags are gone."""
    if TAG not in text:
        return text
    lines, inside = [], False
    for line in text.split("\n"):
        bare = line.lstrip()
        if bare.startswith(TAG):
            inside = True
        elif not bare:
            inside = False
        lines.append((bare if inside else line).replace(TAG, ""))
    return "\n".join(lines)
