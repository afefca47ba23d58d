"""Inline Markdown at a position of a text: where a code span ends, what an image names.

CommonMark's rules, and the slips that pages make all the same (blanks in a target). Knows no tag
and no block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DESTINATION = re.compile(
    r"""\([ \t\n]*(?:<(?P<angle>[^<>\n]*)>|(?P<bare>(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))"""
    r"""(?:[ \t\n]+(?P<title>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?"""
    r"""[ \t\n]*\)""",
    re.DOTALL,
)
_LOOSE_DESTINATION = re.compile(r"\((?P<bare>[^()\n]+)\)")
_ATTRIBUTE_LIST = re.compile(r"\{[ \t]*[:.#]?[\w-]+(?:[ \t]*=[^{}\n]*|[ \t.#][^{}\n]*)?\}")


@dataclass(frozen=True, slots=True)
class InlineImage:
    """`![alt](ref "title")`, as written; `end` is the position after it and its attributes."""

    alt: str
    ref: str
    title: str
    end: int


def image_at(
    text: str, start: int, brackets: Mapping[int, int], definitions: Mapping[str, str]
) -> InlineImage | None:
    """The image that begins at `text[start:start + 2] == "!["`, or None when none does.

    Args:
        brackets: `matching_brackets(text)`.
        definitions: targets of reference-style links, by `normal_label`.
    """
    close = brackets.get(start + 1, -1)
    if close < 0:
        return None
    alt, ref, title, end = text[start + 2 : close], "", "", close + 1
    target = _DESTINATION.match(text, end) or _LOOSE_DESTINATION.match(text, end)
    if target:
        groups = target.groupdict()
        ref = (groups.get("angle") or groups.get("bare") or "").strip()
        title = (groups.get("title") or "")[1:-1]
        end = target.end()
    else:
        label = alt
        if text.startswith("[", end) and (second := brackets.get(end, -1)) > 0:
            label, end = text[end + 1 : second] or alt, second + 1
        ref = definitions.get(normal_label(label), "")
    if not ref:
        return None
    if attributes := _ATTRIBUTE_LIST.match(text, end):
        end = attributes.end()
    return InlineImage(alt, ref, title, end)


def normal_label(label: str) -> str:
    """The label of a reference, as two spellings of it are compared."""
    return " ".join(label.split()).casefold()


def unescaped(text: str) -> str:
    """`text` without the backslashes before punctuation."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text) if "\\" in text else text


def code_span_end(text: str, start: int, ticks: str) -> int:
    """Position after the code span that opens at `start`; after the ticks, when none closes it."""
    after = start + len(ticks)
    stop = text.find("\n\n", after)
    stop = len(text) if stop < 0 else stop
    close = re.compile(rf"(?<!`){ticks}(?!`)").search(text, after, stop)
    return close.end() if close else after


def matching_brackets(text: str) -> dict[int, int]:
    """Position of each `[` and of the `]` that closes it, in one pass."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for found in re.finditer(r"\\.|[\[\]]|\n[ \t]*\n", text, re.DOTALL):
        if found[0] == "[":
            opened.append(found.start())
        elif found[0] == "]":
            if opened:
                pairs[opened.pop()] = found.start()
        elif found[0][0] == "\n":
            opened.clear()
    return pairs
