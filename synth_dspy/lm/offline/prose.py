"""The prose of a passage: sentences under their headings, list items, tables; code left out.

Markdown, MDX or plain text enters; clean sentences leave, with the terms that their author marked.
It knows nothing of questions.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache

from synth_dspy.lm.offline.snippets import fences

_IMAGE = re.compile(r"\[IMAGE:[0-9a-z]+\]|!\[[^\]]*\]\([^)]*\)|<Image\b[^>]*/?>|<img\b[^>]*>")
_COMMENT = re.compile(r"\{/\*.*?\*/\}|<!--.*?-->", re.DOTALL)
_FRONT = re.compile(r"\A---\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)")
_TAG = re.compile(r"</?[A-Za-z][\w.-]*(?:\s[^<>]*)?/?>")
# Raised after a number, a bracket, a letter or a length: 2<sup>n</sup>, km<sup>2</sup>.
_POWER = re.compile(r"(?:(?<=[\d)])|(?<=\b[A-Za-z])|(?<=\b[ckm]m))<sup>\s*([^<>\s]{1,12})\s*</sup>")
_ORDINAL = ("st", "nd", "rd", "th")
_ESM = re.compile(
    r"^(?:import\b.*\bfrom\b.*['\"]|export\s+(?:const|default|function)\b).*$", re.MULTILINE
)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])|(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=[^\s_])_(?!\w)")  # fmt: skip  # noqa: E501
_FOOTNOTE = re.compile(r"\[\^[^\]]*\]|\[\d+(?:[,\s-]+\d+)*\]")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(.*)$")
_END = re.compile(r"(?<=[.!?])(?:[\"'”\u2019)\]]*)\s+(?=[\"'“(`*_\[]*[A-Z0-9`$])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|al|Fig|Figs|Eq|Eqs|No|Dr|Mr|Mrs|Ms|Prof|St|Sec|Ch|approx|resp|"
    r"incl|ca|pp|vol)|\b[A-Z])\.[\"'”\u2019)\]]*$"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without markup.

    Attributes:
        bold: terms that its author set in bold or italic, as they stand in `text`.
        block: number of the paragraph or item that it stands in; index: its place there, from 0.
        item: it stands in a list.
    """

    text: str
    bold: tuple[str, ...]
    heading: str
    block: int
    index: int
    item: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A pipe table: column names and rows of equal length."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """What was read; `headings` in order, without markup."""

    sentences: tuple[Sentence, ...]
    headings: tuple[str, ...]
    tables: tuple[Table, ...]

    def after(self, sentence: Sentence) -> Sentence | None:
        """The next sentence of the same paragraph."""
        for other in self.sentences:
            if other.block == sentence.block and other.index == sentence.index + 1:
                return other
        return None


@lru_cache(maxsize=512)
def read(passage: str) -> Prose:
    """Sentences, headings and tables of a passage."""
    reader = _Reader()
    for line in _without_code(passage).split("\n"):
        reader.line(line)
    reader.flush()
    return Prose(tuple(reader.sentences), tuple(reader.headings), tuple(reader.tables))


def _without_code(passage: str) -> str:
    """The passage with an empty line where code, comments and page machinery stood."""
    parts, position = [], 0
    for fence in fences(passage):
        parts.append(passage[position : fence.start])
        parts.append("\n")
        position = fence.end
    text = "".join([*parts, passage[position:]])
    text = _COMMENT.sub("", _FRONT.sub("", text))
    return _ESM.sub("", text)


class _Reader:
    """Collects lines to paragraphs and paragraphs to sentences."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self.headings: list[str] = []
        self.tables: list[Table] = []
        self._lines: list[str] = []
        self._rows: list[str] = []
        self._item = False
        self._block = 0

    def line(self, raw: str) -> None:
        line = raw.rstrip()
        heading = _HEADING.match(line)
        item = _ITEM.match(line)
        if line.lstrip().startswith("|") and line.count("|") >= 2:
            if not self._rows:
                self.flush()
            self._rows.append(line)
            return
        if self._rows:
            self._end_table()
        if heading:
            self.flush()
            self.headings.append(clean(heading[2])[0])
        elif re.fullmatch(r"\s*(?:[-=*_]{3,}|:::.*)\s*", line) or not line.strip():
            self.flush()
        elif item:
            self.flush()
            self._item = True
            self._lines.append(item[1])
        else:
            self._lines.append(re.sub(r"^\s*>\s?(?:\[!\w+\]\s*)?", "", line).strip())

    def flush(self) -> None:
        if self._rows:
            self._end_table()
        paragraph, self._lines = " ".join(self._lines), []
        item, self._item = self._item, False
        # A picture ends what stands before it; what follows on its line is its caption.
        text, bold = clean(_IMAGE.split(paragraph)[0])
        if not text:
            return
        heading = self.headings[-1] if self.headings else ""
        for index, part in enumerate(split(text)):
            terms = tuple(term for term in bold if term in part)
            self.sentences.append(Sentence(part, terms, heading, self._block, index, item))
        self._block += 1

    def _end_table(self) -> None:
        rows = [tuple(clean(c)[0] for c in _cells(row)) for row in self._rows]
        rule = len(self._rows) > 2 and re.fullmatch(r"[\s|:-]+", self._rows[1])
        self._rows = []
        width = len(rows[0])
        if rule and width > 1 and all(rows[0]):
            body = tuple(row for row in rows[2:] if len(row) == width)
            heading = self.headings[-1] if self.headings else ""
            self.tables.append(Table(heading, rows[0], body))


def _cells(row: str) -> list[str]:
    row = row.strip().removeprefix("|").removesuffix("|")
    return re.split(r"(?<!\\)\|", row)


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """Text without markup, and the terms that were bold or italic in it."""
    codes: list[str] = []

    def keep(match: re.Match[str]) -> str:
        codes.append(match[0])
        return f"\x00{len(codes) - 1}\x00"

    def back(value: str) -> str:
        return re.sub(r"\x00(\d+)\x00", lambda m: codes[int(m[1])], value)

    text = re.sub(r"``.+?``|`[^`\n]+`|\$[^$\n]+\$", keep, text)
    text = _FOOTNOTE.sub("", _IMAGE.sub(" ", text))
    text = _TAG.sub("", _POWER.sub(_raised, _LINK.sub(r"\1", text)))
    terms = [m[2] for m in _BOLD.finditer(text)]
    text = _BOLD.sub(r"\2", text)
    terms += [m[1] or m[2] for m in _ITALIC.finditer(text)]
    text = _ITALIC.sub(lambda m: m[1] or m[2], text)
    text = html.unescape(re.sub(r"\\([\\*_`\[\](){}#+.!|~<>-])", r"\1", text))
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    return back(text), tuple(back(html.unescape(term)).strip() for term in terms if term.strip())


def _raised(found: re.Match[str]) -> str:
    """`^n` of `<sup>n</sup>`: without its mark, 2 to the n would read as another number."""
    power = found[1]
    if power in _ORDINAL or not re.match(r"[\w+\-\u2212]", power):
        return power
    return f"^{power}" if re.fullmatch(r"[+\-\u2212]?\w+", power) else f"^({power})"


def split(text: str) -> list[str]:
    """Sentences of a paragraph without markup."""
    parts: list[str] = []
    for part in _END.split(text):
        open_code = parts and parts[-1].count("`") % 2
        if parts and (open_code or _ABBREVIATION.search(parts[-1])):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return [part.strip() for part in parts if part.strip()]
