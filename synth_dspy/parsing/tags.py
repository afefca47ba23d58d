"""Reads one HTML or JSX tag at a position of a text; linear, and never fooled by `<YOUR_TOKEN>`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

# fmt: off
HTML = frozenset((
    "a", "abbr", "address", "article", "aside", "audio", "b", "bdi", "bdo", "blockquote",
    "body", "br", "button", "caption", "center", "cite", "code", "col", "colgroup", "data",
    "dd", "del", "details", "dfn", "dialog", "div", "dl", "dt", "em", "embed", "fieldset",
    "figcaption", "figure", "font", "footer", "form", "g", "h1", "h2", "h3", "h4", "h5", "h6",
    "head", "header", "hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label",
    "legend", "li", "link", "main", "map", "mark", "meta", "nav", "noscript", "object", "ol",
    "optgroup", "option", "p", "param", "path", "picture", "pre", "progress", "q", "s", "samp",
    "script", "section", "select", "small", "source", "span", "strike", "strong", "style",
    "sub", "summary", "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot",
    "th", "thead", "time", "title", "tr", "track", "tt", "u", "ul", "var", "video", "wbr",
))
# fmt: on
MAX_TAG_CHARS = 4_000_000  # a data URI may stand in an attribute
MAX_DEPTH = 200  # of braces; without it many tags that never close cost the square of their number

_NAME = re.compile(r"</?([A-Za-z][\w.:-]*)")
_ATTRIBUTE = re.compile(r"\s*([A-Za-z_:@][\w.:@-]*)\s*(=\s*)?")
_BARE = re.compile(r"[^\s\"'=<>`{}]+")
_BRACE = re.compile(r"""[{}"'`]""")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and what it says.

    Attributes:
        strings: attributes that are plain text, entities resolved; a bare one is "".
        expressions: attributes whose value is a JSX expression, without its braces.
        end: position after `>`.
    """

    name: str
    end: int
    closing: bool = False
    strings: dict[str, str] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)

    @property
    def is_component(self) -> bool:
        """A JSX component: a capital first, and not capitals only."""
        return self.name[0].isupper() and any(c.islower() for c in self.name)

    @property
    def is_html(self) -> bool:
        """An element of HTML."""
        return self.name.lower() in HTML


def read_tag(text: str, start: int) -> Tag | None:
    """The tag that begins at `text[start] == "<"`, or None when none does, or it is not closed."""
    if text.startswith(("<>", "</>"), start):
        return Tag("Fragment", start + (2 if text[start + 1] == ">" else 3))
    found = _NAME.match(text, start)
    if not found:
        return None
    tag = Tag(found[1], 0, closing=text[start + 1] == "/")
    if not (tag.is_html or tag.is_component):
        return None
    position, limit = found.end(), min(len(text), start + MAX_TAG_CHARS)
    while position < limit:
        char = text[position]
        if char == ">":
            return Tag(tag.name, position + 1, tag.closing, tag.strings, tag.expressions)
        if char.isspace() or char == "/":
            position += 1
        elif char == "{":  # {...props}
            position = _braces_end(text, position)
        elif attribute := _ATTRIBUTE.match(text, position):
            position = _read_value(text, attribute, tag)
        else:
            return None
        if position < 0:
            return None
    return None


def _read_value(text: str, attribute: re.Match[str], tag: Tag) -> int:
    """Put one attribute into `tag`; the position after it, or -1."""
    name, position = attribute[1], attribute.end()
    if not attribute[2]:
        tag.strings.setdefault(name, "")
        return position
    quote = text[position : position + 1]
    if quote in ("'", '"') and quote:
        end = text.find(quote, position + 1)
        if end >= 0:
            tag.strings.setdefault(name, unescape(text[position + 1 : end]))
        return end + 1 if end >= 0 else -1
    if quote == "{":
        end = _braces_end(text, position)
        if end >= 0:
            _store_expression(tag, name, text[position + 1 : end - 1].strip())
        return end
    bare = _BARE.match(text, position)
    if not bare:
        return -1
    tag.strings.setdefault(name, unescape(bare[0]))
    return bare.end()


def _store_expression(tag: Tag, name: str, expression: str) -> None:
    quoted = re.fullmatch(r"""(["'`])((?:(?!\1)[^$\\])*)\1""", expression, re.DOTALL)
    if quoted:
        tag.strings.setdefault(name, quoted[2])
    else:
        tag.expressions.setdefault(name, expression)


def _braces_end(text: str, start: int) -> int:
    """Position after the brace that closes the one at `start`, or -1."""
    depth, position = 0, start
    while found := _BRACE.search(text, position):
        position = found.end()
        if found[0] == "{":
            depth += 1
            if depth > MAX_DEPTH:
                return -1
        elif found[0] == "}":
            depth -= 1
            if depth == 0:
                return position
        else:
            end = text.find(found[0], position)
            if end < 0 or (found[0] != "`" and "\n" in text[position:end]):
                continue  # an apostrophe in text between tags
            position = end + 1
    return -1
