"""Code blocks of a passage, each with the output that stands below it.

Markdown enters; snippets leave, in order. It does not parse Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from synth_dspy.lm.offline.words import word_set

_OPEN = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*(.*?)[ \t]*$")
_PYTHON = word_set("python py python3 ipython ipython3 pycon pyodide")
_OUTPUT = word_set("text output txt console plaintext stdout none") | {""}
_MAGIC = re.compile(r"^\s*(?:%{1,2}\w|!\w|\?\w|\w+\?$)")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: `passage[start:end]`, fences included."""

    language: str
    body: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Snippet:
    """Python code with its recorded output ("" when none is recorded).

    Attributes:
        intro: the paragraph right before it.
        order: its place among the snippets.
    """

    code: str
    output: str
    intro: str
    order: int


@lru_cache(maxsize=512)
def fences(passage: str) -> tuple[Fence, ...]:
    """Fenced blocks in order; a block that is never closed ends with the passage."""
    found: list[Fence] = []
    mark, indent, language, start = "", "", "", 0
    body: list[str] = []
    position = 0
    for line in passage.splitlines(keepends=True):
        bare = line.rstrip("\n")
        opened = _OPEN.match(bare)
        if mark:
            if opened and opened[2].startswith(mark) and not opened[3]:
                found.append(Fence(language, "\n".join(body), start, position + len(line)))
                mark = ""
            else:
                body.append(bare.removeprefix(indent))
        elif opened and "`" not in opened[3]:
            indent, mark = opened[1], opened[2]
            word = re.match(r"\{?\.?([\w+-]*)", opened[3])
            language, start, body = (word[1].lower() if word else ""), position, []
        position += len(line)
    if mark:
        found.append(Fence(language, "\n".join(body), start, len(passage)))
    return tuple(found)


@lru_cache(maxsize=512)
def snippets(passage: str) -> tuple[Snippet, ...]:
    """Python snippets of a passage, in order."""
    blocks = fences(passage)
    found: list[Snippet] = []
    for index, block in enumerate(blocks):
        if block.language not in _PYTHON and not _looks_like_session(block):
            continue
        output = ""
        if index + 1 < len(blocks) and blocks[index + 1].language in _OUTPUT:
            between = passage[block.end : blocks[index + 1].start]
            if not between.strip() and not _looks_like_session(blocks[index + 1]):
                output = blocks[index + 1].body
        before = passage[blocks[index - 1].end if index else 0 : block.start]
        paragraphs = [part for part in re.split(r"\n\s*\n", before) if part.strip()]
        intro = paragraphs[-1].strip() if paragraphs else ""
        found.append(Snippet(runnable(block.body), output.strip("\n"), intro, len(found)))
    return tuple(found)


def _looks_like_session(block: Fence) -> bool:
    return block.language in _OUTPUT and block.body.lstrip().startswith(">>> ")


def runnable(code: str) -> str:
    """Code without shell and notebook magics; of an interactive session, the input lines."""
    lines = code.split("\n")
    if code.lstrip().startswith(">>> "):
        lines = [line[4:] for line in lines if line.startswith((">>> ", "... "))]
    return "\n".join(line for line in lines if not _MAGIC.match(line))
