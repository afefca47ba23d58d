"""Facts files: Markdown or plain text in, chunks out, each a bullet or a section with its context.

A bullet, a paragraph and a row of a table are one fact each; headings, front matter, comments and
code are none. It knows nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synth_dspy.dialogues import FactChunk
from synth_dspy.errors import DocumentError, SourceError
from synth_dspy.parsing.encoding import decode_text
from synth_dspy.records import SourceFile, digest

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_BULLET = re.compile(r"^(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(\S.*)$")
_FENCE = re.compile(r"^\s*(?:```|~~~|:::)")
_RULE = re.compile(r"^\s*(?:[-=*_]{3,}|\|?[\s:|-]*-[\s:|-]*\|?)\s*$")
_COMMENT = re.compile(r"\{/\*.*?\*/\}|<!--.*?-->", re.DOTALL)
_FRONT = re.compile(r"\A\ufeff?\s*---\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_PAGE_MACHINERY = re.compile(
    r"^\s*(?:import\s.*from\s|export\s|<[^>]*>\s*$|!\[[^\]]*\]\([^)]*\)\s*$)"
)
_LEAST_WORDS = 4


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """How facts are cut.

    Attributes:
        by: one fact a chunk, or all facts below one heading.
        context: facts of the same section shown before and after.
        most_chars: a section with more is divided between facts.
        most: use so many chunks, spread evenly; None: all.
    """

    by: Literal["bullet", "section"] = "bullet"
    context: int = 2
    most_chars: int = 2000
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A bullet, a paragraph or a row: 1-based line, headings above it, text on one line."""

    line: int
    heading: str
    text: str


def read_facts(path: Path, *, where: str) -> list[Fact]:
    """The facts of a file, in order.

    Args:
        where: what to call the file in an error.

    Raises:
        SourceError: the file cannot be read, is empty, is no text, or states nothing.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{where} cannot be read: {error.strerror}.") from error
    if not data.strip():
        raise SourceError(f"{where} is empty. Write facts into it, one a bullet: `- ...`.")
    try:
        text = decode_text(data)
    except DocumentError as error:
        raise SourceError(f"{where} is no text: {error.detail}.") from error
    if "\0" in text:
        at = text.index("\0")
        raise SourceError(
            f"{where} is no text: it holds a zero byte at character {at}. Facts come from Markdown "
            "or plain text."
        )
    found = list(_facts(text))
    if not found:
        raise SourceError(
            f"{where} states no fact: no bullet, paragraph or table row has {_LEAST_WORDS} words "
            "or more. Write facts into it, one a bullet: `- ...`."
        )
    return found


def fact_chunks(files: Sequence[SourceFile], rules: ChunkRules) -> list[FactChunk]:
    """The chunks of all files, in order, each text once.

    Raises:
        SourceError: as `read_facts`.
    """
    chunks: list[FactChunk] = []
    known: set[str] = set()
    for file in files:
        full = Path(file.root, file.path)
        facts = read_facts(full, where=f"The facts file {str(full)!r}")
        for line, text, before, after, heading in _cut(facts, rules):
            id_ = digest("fact chunk", file.path, heading, text, before, after)
            if id_ in known:
                continue
            known.add(id_)
            chunks.append(
                FactChunk(
                    id=id_, path=file.path, source=file.source, sha256=file.sha256,
                    heading=heading, text=text, before=before, after=after, line=line,
                    index=len(chunks),
                )
            )  # fmt: skip
    most = rules.most
    if most is None or len(chunks) <= most:
        return chunks
    return [chunks[at * len(chunks) // most] for at in range(most)]


def _facts(text: str) -> Iterator[Fact]:
    blank = _FRONT.sub(_emptied, text)
    lines = _COMMENT.sub(_emptied, blank).split("\n")
    path: list[str] = []
    columns: list[str] = []
    open_at, parts = 0, list[str]()
    in_code = False

    def closed() -> Iterator[Fact]:
        nonlocal parts
        whole, parts = " ".join(" ".join(parts).split()), []
        if len(whole.split()) >= _LEAST_WORDS:
            yield Fact(open_at, " > ".join(part for part in path if part), whole)

    for number, line in enumerate(lines, 1):
        if _FENCE.match(line):
            yield from closed()
            in_code = not in_code and not line.lstrip().startswith(":::")
            continue
        if in_code:
            continue
        heading, bullet = _HEADING.match(line), _BULLET.match(line)
        if line.count("|") >= 2 and line.lstrip().startswith("|"):
            yield from closed()
            if _RULE.match(line):
                continue
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not columns:
                columns = cells
            elif row := ": ".join(cell for cell in (cells[0], "; ".join(cells[1:])) if cell):
                open_at, parts = number, [row]
                yield from closed()
            continue
        columns = []
        if heading:
            yield from closed()
            level = len(heading[1])
            path = [*path[: level - 1], *[""] * (level - 1 - len(path)), heading[2]]
        elif not line.strip() or _RULE.match(line) or _PAGE_MACHINERY.match(line):
            yield from closed()
        elif bullet:
            yield from closed()
            open_at, parts = number, [bullet[2]]
        else:
            if not parts:
                open_at = number
            parts.append(line.strip())
    yield from closed()


def _emptied(found: re.Match[str]) -> str:
    """As many lines as there were, so that line numbers hold."""
    return "\n" * found[0].count("\n")


def _cut(facts: Sequence[Fact], rules: ChunkRules) -> Iterator[tuple[int, str, str, str, str]]:
    """Line, text, lines before, lines after and heading of each chunk."""
    start = 0
    while start < len(facts):
        heading, end = facts[start].heading, start + 1
        size = len(facts[start].text)
        while rules.by == "section" and end < len(facts) and facts[end].heading == heading:
            size += len(facts[end].text) + 1
            if size > rules.most_chars:
                break
            end += 1
        around = range(max(0, start - rules.context), min(len(facts), end + rules.context))
        near = [at for at in around if facts[at].heading == heading]
        yield (
            facts[start].line,
            "\n".join(fact.text for fact in facts[start:end]),
            "\n".join(facts[at].text for at in near if at < start),
            "\n".join(facts[at].text for at in near if at >= end),
            heading,
        )
        start = end
