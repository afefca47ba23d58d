"""HTML: headings, paragraphs, lists, tables, code and images, in the order of the page.

A tolerant reader of tags, since pages are rarely well formed: nothing is executed or fetched, and
scripts, styles and hidden parts leave no text.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.encoding import decode_text
from synth_dspy.parsing.tables import table_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

    ReadImage = Callable[[str], bytes]

UNSEEN = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object"})
ENDS_BLOCK = frozenset({
    "address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt",
    "figcaption", "figure", "footer", "form", "header", "hr", "li", "main", "nav", "ol", "p",
    "section", "summary", "table", "td", "th", "tr", "ul",
})  # fmt: skip
CELLS = ("td", "th", "tr")
HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\r\n\f]+")
_PLACE = re.compile("\x01(\\d+)\x01")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,40})""", re.IGNORECASE)


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A page as a document.

    Raises:
        DocumentError: `encoding`, when the file is neither UTF-8 nor what it says it is.
    """
    builder = DocumentBuilder(file, images, options)
    return builder.finish(title=add_html(builder, decode_html(data)))


def decode_html(data: bytes) -> str:
    """The text of a page, in UTF-8 or the encoding that its head names.

    Raises:
        DocumentError: `encoding`.
    """
    named = _CHARSET.search(data[:4096])
    if named and named[1].lower() not in (b"utf-8", b"utf8"):
        try:
            return data.decode(named[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            return decode_text(data)  # what it names is unknown or untrue
    return decode_text(data)


def add_html(
    builder: DocumentBuilder, html: str, *, page: int | None = None, read: ReadImage | None = None
) -> str:
    """Append the blocks of a page. Returns its title, "" if it has none.

    Args:
        read: gives the bytes of an image as the page names it; the resolver when left out.
    """
    reader = _Reader(builder, page, read)
    reader.feed(html)
    reader.close()
    reader.end_block()
    return " ".join("".join(reader.title).split())


class _Reader(HTMLParser):
    """Tags in, blocks out.

    Attributes:
        title: what the `<title>` says, in parts.
    """

    def __init__(self, builder: DocumentBuilder, page: int | None, read: ReadImage | None) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self._builder = builder
        self._page = page
        self._read = read
        self._text: list[str] = []
        self._unseen: list[str] = []
        self._in_title = False
        self._level = 0
        self._pre = 0
        self._language = ""
        self._rows: list[list[str]] | None = None  # of the table that is open
        self._in_cell = False
        self._shown: list[str] = []  # markers, by the number in their place holder

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        given = {name: value or "" for name, value in attrs}
        self._in_title = tag == "title" and "svg" not in self._unseen
        if tag in UNSEEN:
            self._unseen.append(tag)
        if self._unseen:
            return
        if tag == "img":
            self._image(given)
        elif tag == "br":
            self._text.append("\n")
        elif tag == "pre":
            self.end_block()
            self._pre += 1
            self._language = _language(given)
        elif tag == "code" and self._pre:
            self._language = self._language or _language(given)
        elif tag in HEADINGS:
            self.end_block()
            self._level = HEADINGS[tag]
        elif tag == "table" and self._rows is None:
            self.end_block()
            self._rows = []
        elif tag in CELLS and self._rows is not None:
            self._end_cell()
            self._in_cell = tag != "tr"
            if tag == "tr":
                self._rows.append([])
        elif tag in ENDS_BLOCK and self._rows is None:
            self.end_block()
            if tag == "li":
                self._text.append("- ")

    def handle_endtag(self, tag: str) -> None:
        """A tag closes; one that was never opened is passed over."""
        self._in_title = False
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[self._unseen.index(tag) :]
            return
        if tag == "pre" and self._pre:
            self._code()
        elif tag in HEADINGS:
            self.end_block()
        elif tag in CELLS and self._rows is not None:
            self._end_cell()
        elif tag == "table" and self._rows is not None:
            self._table()
        elif tag in ENDS_BLOCK and self._rows is None:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        if self._in_title:
            self.title.append(data)
        elif not self._unseen:
            data = data.replace("\x01", "")
            self._text.append(data if self._pre else _SPACE.sub(" ", data))

    def end_block(self) -> None:
        """Add what was read since the last block."""
        if self._rows is not None:
            self._table()
            return
        if self._pre:
            self._code()
            return
        lines = [line.strip() for line in self._taken().split("\n")]
        level, self._level = self._level, 0
        said = "\n".join(line for line in lines if line)
        if said == "-":
            return
        if level:
            self._builder.add("heading", " ".join(said.split()), level=level, page=self._page)
        else:
            self._builder.add("text", said, page=self._page)

    def _code(self) -> None:
        self._pre = 0
        self._builder.add_code(self._taken(), self._language, page=self._page)

    def _taken(self) -> str:
        """The text read so far, in which nothing but an image makes a marker."""
        text = clean("".join(self._text))
        self._text.clear()
        return _PLACE.sub(lambda found: self._shown[int(found[1])], text)

    def _end_cell(self) -> None:
        text = " ".join(self._taken().split())
        if self._rows is not None and (text or self._in_cell):
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append(text)
        self._in_cell = False

    def _table(self) -> None:
        self._end_cell()
        rows = [row for row in self._rows or [] if any(row)]
        self._rows = None
        self._builder.add("table", table_text(rows), page=self._page)

    def _image(self, given: dict[str, str]) -> None:
        src = (given.get("src") or given.get("data-src", "")).strip()
        if not src:
            return
        origin = "data_uri" if src.startswith("data:") else "html"
        read = self._read
        shown = self._builder.image(
            src,
            origin,  # type: ignore[arg-type]
            (lambda: read(src)) if read and origin == "html" else None,
            alt=given.get("alt", ""),
            caption=given.get("title", ""),
            page=self._page,
        )
        if shown:
            self._text.append(f"\x01{len(self._shown)}\x01")
            self._shown.append(shown)


def _language(given: dict[str, str]) -> str:
    found = re.search(r"(?:language|lang|highlight-source)-([\w+#.-]+)", given.get("class", ""))
    return found[1].lower() if found else ""
