"""Markdown and MDX pages, and the Markdown of notebook cells: source in, blocks out.

`rewrite` has taken images and tags out before; markdown-it finds the blocks; the text of each is
the source's own. It reads nothing but what the resolver allows.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.encoding import decode_text
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.image_tags import Found
from synth_dspy.parsing.rewrite import CONTROL, PLACEHOLDER, Rewriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import BlockKind, Document, ImageOrigin, SourceFile

    Attachment = Callable[[str], bytes]

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
# What may begin a rule, an underlined heading, a quotation, code, a table, or a block in a list.
_NOT_PLAIN = re.compile(
    r" {0,3}(?:[-*_=][-*_= \t]*$|[-:|][-:| \t]*$|>|`{3}|~{3}|\t)| {4}"
    r"| {0,3}(?:[-+*]|\d{1,9}[.)])[ \t]+(?:#|>|`{3}|~{3}|[-+*]|\d{1,9}[.)]|[ \t]{3})"
)
_LANGUAGE = re.compile(r"[{.\s]*([A-Za-z0-9_+#.-]*)")


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A page as a document.

    Raises:
        DocumentError: `encoding`, when the file is not text.
    """
    builder = DocumentBuilder(file, images, options)
    title, body = split_front_matter(clean(decode_text(data)))
    add_markdown(builder, body, esm=True, indented_code=file.kind != "mdx")
    return builder.finish(title=title)


def split_front_matter(source: str) -> tuple[str, str]:
    """The title that the front matter gives ("" if none), and the source after it.

    The front matter is read with one pattern and never as YAML: its aliases and tags are traps.
    """
    found = _FRONT_MATTER.match(source)
    if not found:
        return "", source
    title = _TITLE.search(found[1] or "")
    text = title[1] if title else ""
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        text = text[1:-1]
    return ("" if text.startswith(("!", "&", "*", "|", ">", "{", "[")) else text), source[
        found.end() :
    ]


def add_markdown(
    builder: DocumentBuilder,
    source: str,
    *,
    esm: bool = False,
    indented_code: bool = True,
    cell: int | None = None,
    output: int | None = None,
    attachment: Attachment | None = None,
) -> None:
    """Append the blocks of Markdown source.

    Args:
        attachment: gives the bytes of `attachment:<name>`, or raises ImageError.
    """
    rewriter = Rewriter(esm=esm, indented_code=indented_code)
    text = rewriter.rewrite(CONTROL.sub("", source))
    for ref in sorted(set(rewriter.imports.values()) - {image.ref for image in rewriter.found}):
        builder.drop(ref, "jsx", "unused", cell=cell)
    lines = text.split("\n")

    def shown(found: re.Match[str]) -> str:
        image = rewriter.found[int(found[1])]
        placed = _place(builder, image, cell=cell, output=output, attachment=attachment)
        return placed + found[2] if placed else ""

    def prose(first: int, last: int, kind: BlockKind, level: int = 0) -> None:
        block = "\n".join([line.rstrip() for line in lines[first:last]])
        if "\x01" in block:
            block = PLACEHOLDER.sub(shown, block)
        if "\n\n" in block:
            block = _EMPTY_LINES.sub("\n\n", block)
        builder.add(kind, block, level=level, cell=cell)

    if (simple := plain_blocks(lines)) is not None:
        for level, first, last in simple:
            prose(first, last, "heading" if level else "text", level)
        return
    position = 0
    for token, first, last in _leaves(_tokens(text, indented_code)):
        if token.type == "fence" or (token.type == "code_block" and "\x01" not in token.content):
            code, language = _code(token)
            builder.add_code(code, language, cell=cell)
        elif token.type == "heading_open":
            prose(first, last, "heading", int(token.tag[1]))
        else:
            prose(first, last, "table" if token.type == "table_open" else "text")
        position = last
    prose(position, len(lines), "text")


def plain_blocks(lines: list[str]) -> list[tuple[int, int, int]] | None:
    """Blocks of source that has headings, paragraphs and simple lists only, without its grammar.

    `(level, first, last)`, level 0 for text. None for any other source: markdown-it reads that.
    """
    blocks: list[tuple[int, int, int]] = []
    start = -1
    for number, line in enumerate(lines):
        if not line or line.isspace():
            if start >= 0:
                blocks.append((0, start, number))
                start = -1
        elif heading := _ATX.match(line):
            if start >= 0:
                blocks.append((0, start, number))
                start = -1
            blocks.append((len(heading[1]), number, number + 1))
        elif _NOT_PLAIN.match(line):
            return None
        elif start < 0:
            start = number
    if start >= 0:
        blocks.append((0, start, len(lines)))
    return blocks


def _tokens(text: str, indented_code: bool) -> list[Token]:
    return _parser(indented_code).parse(text, {})


@cache
def _parser(indented_code: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": 24}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.disable(["html_block", "reference"] + ([] if indented_code else ["code"]))
    return parser


def _leaves(tokens: list[Token]) -> list[tuple[Token, int, int]]:
    """Blocks with their lines, in order, without gaps other than empty lines.

    Code and headings are blocks wherever they stand; what lies between them in a list or a
    quotation is text.
    """
    leaves: list[tuple[Token, int, int]] = []
    position = 0
    container: tuple[Token, int] | None = None

    def close(until: int) -> None:
        nonlocal position
        if container and position < until:
            leaves.append((container[0], position, until))
            position = until

    for token in tokens:
        if token.map is None or token.nesting < 0:
            continue
        first, last = token.map
        if token.type in ("fence", "code_block", "heading_open", "table_open"):
            first = max(first, position)
            close(first)
            if first < last:
                leaves.append((token, first, last))
                position = last
        elif token.level == 0 and token.type != "inline":
            close(first)
            container, position = (token, last), max(position, first)
    if container:
        close(max(position, container[1]))
    return leaves


def _code(token: Token) -> tuple[str, str]:
    if token.type == "fence":
        info = token.info.strip()
        if info.startswith("{") and "}" in info:  # ```{code-cell} python
            info = info.split("}", 1)[1].strip() or info
        found = _LANGUAGE.match(info)
        return token.content, (found[1].lower() if found else "")
    fenced = re.match(
        r"\s*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)\n?\s*\1?\s*\Z", token.content, re.DOTALL
    )
    return (fenced[3], fenced[2].lower()) if fenced else (token.content, "")


def _place(
    builder: DocumentBuilder,
    image: Found,
    *,
    cell: int | None,
    output: int | None,
    attachment: Attachment | None,
) -> str:
    """Resolve what a placeholder stands for; its marker, or ""."""
    origin: ImageOrigin = image.origin
    ref, read = image.ref, None
    if image.expression:
        builder.drop(ref, origin, "expression", cell=cell)
        return ""
    if image.named:
        ref = image.named
        read = lambda: _named(builder, ref)  # noqa: E731
    elif ref.startswith("data:"):
        origin = "data_uri"
    elif ref.startswith("attachment:") and attachment:
        origin = "attachment"
        read = lambda: attachment(ref.removeprefix("attachment:"))  # noqa: E731
    return builder.image(
        ref, origin, read, alt=image.alt, caption=image.caption, cell=cell, output=output
    )


def _named(builder: DocumentBuilder, name: str) -> bytes:
    data = builder.resolver.read_named(name)
    if data is None:
        raise ImageError("missing", f"no image of the public roots is called {name!r}")
    return data
