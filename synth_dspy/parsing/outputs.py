"""The outputs of one code cell: pictures become markers, everything else bounded text.

Reads every spelling of a picture: image mimes, `<Image src=…>` inside text/plain, `<img>` in HTML,
Markdown images, a PDF page. Where one output carries a picture in several forms, each is kept: the
forms are often not of the same picture.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

from synth_dspy.parsing.builder import clean
from synth_dspy.parsing.notebook_json import joined
from synth_dspy.parsing.resolve import decode_base64
from synth_dspy.parsing.tags import read_tag

if TYPE_CHECKING:
    from synth_dspy.parsing.builder import DocumentBuilder
    from synth_dspy.records import ImageOrigin

PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml", "image/avif",
            "image/bmp", "image/tiff")  # fmt: skip

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_TAG_START = re.compile(r"<(?=[A-Za-z])")
_REPR = re.compile(r"\s*<[^\n]*>\s*\Z")
_MARKDOWN_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)")


class OutputReader:
    """Takes the outputs of a cell one by one.

    Attributes:
        markers: of the pictures, in order.
    """

    def __init__(self, builder: DocumentBuilder, code: str, cell: int) -> None:
        self.markers: list[str] = []
        self._builder = builder
        self._code = code
        self._cell = cell
        self._text: list[str] = []

    def text(self) -> str:
        """Everything that was printed or returned, the middle cut out where it is too long."""
        text = "".join(self._text).strip("\n").rstrip()
        return _bounded(text, self._builder.options.max_output_chars)

    def add(self, output: dict[str, Any], number: int) -> None:
        """One output in any of nbformat's types; an unknown type is ignored."""
        kind = output.get("output_type")
        if kind == "stream":
            self._write(joined(output.get("text")))
        elif kind == "error":
            self._error(output)
        elif isinstance(output.get("data"), dict):
            self._bundle(output["data"], number)

    def _bundle(self, data: dict[str, Any], number: int) -> None:
        before = len(self.markers)
        drawn = [mime for mime in PICTURES if mime in data]
        if not drawn and "application/pdf" in data:
            drawn = ["application/pdf"]
        for mime in drawn:
            self._picture(mime, joined(data[mime]), number)
        plain = self._without_tags(joined(data.get("text/plain")), number, "output_tag")
        html = joined(data.get("text/html"))
        if html:
            html = self._without_tags(html, number, "html")
        markdown = joined(data.get("text/markdown"))
        if markdown:
            markdown = self._markdown(markdown, number)
        if plain.strip() and not ((drawn or len(self.markers) > before) and _REPR.match(plain)):
            self._write(plain if plain.endswith("\n") else f"{plain}\n")
        elif not plain.strip() and not drawn:
            other = markdown or joined(data.get("text/latex")) or _html_text(html)
            self._write(f"{other.strip()}\n" if other.strip() else "")

    def _write(self, text: str) -> None:
        self._text.append(clean(_overwritten(_ANSI.sub("", text))))

    def _error(self, output: dict[str, Any]) -> None:
        lines = output.get("traceback")
        trace = "\n".join(str(line) for line in lines) if isinstance(lines, list) else ""
        last = f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
        self._write(f"{_bounded(_ANSI.sub('', trace), 1200)}\n" if trace.strip() else f"{last}\n")

    def _picture(self, mime: str, value: str, number: int) -> None:
        def read() -> bytes:
            if mime == "image/svg+xml" and "<svg" in value:
                return value.encode("utf-8", "replace")
            return decode_base64(value)

        self._shown("", "output", number, read=read)

    def _shown(
        self, ref: str, origin: ImageOrigin, number: int, *, alt: str = "", read: Any = None
    ) -> None:
        shown = self._builder.image(
            ref, origin, read, alt=alt, code=self._code, cell=self._cell, output=number
        )
        if shown:
            self.markers.append(shown)

    def _without_tags(self, text: str, number: int, origin: ImageOrigin) -> str:
        """`text` without its image tags, each of them shown."""
        if "<" not in text:
            return text
        out, position = [], 0
        for start in _TAG_START.finditer(text):
            if start.start() < position or text[start.end() : start.end() + 3].lower() not in (
                "img",
                "ima",
            ):
                continue
            tag = read_tag(text, start.start())
            src = tag.strings.get("src", "") if tag else ""
            if tag is None or not src:
                continue
            kind: ImageOrigin = "data_uri" if src.startswith("data:") else origin
            self._shown(src, kind, number, alt=tag.strings.get("alt", ""))
            out.append(text[position : start.start()])
            position = tag.end
        out.append(text[position:])
        return "".join(out)

    def _markdown(self, text: str, number: int) -> str:
        for alt, ref in _MARKDOWN_IMAGE.findall(text):
            self._shown(ref, "data_uri" if ref.startswith("data:") else "markdown", number, alt=alt)
        return _MARKDOWN_IMAGE.sub("", text)


def _html_text(html: str) -> str:
    """What an HTML output says, a line a row."""
    html = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", "", html)
    html = re.sub(r"(?i)</(tr|p|div|li|h[1-6]|pre)>|<br\s*/?>", "\n", html)
    html = re.sub(r"(?i)</t[dh]>", "\t", html)
    text = unescape(re.sub(r"<[^<>]*>", "", html))
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _overwritten(text: str) -> str:
    """Progress bars write one line over and over: only what stood last is kept."""
    return text if "\r" not in text else re.sub(r"[^\r\n]*\r+(?![\r\n]|\Z)", "", text)


def _bounded(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    cut = f"\n[… {len(text) - limit} characters left out …]\n"
    return f"{text[:head]}{cut}{text[len(text) - (limit - head) :]}"
