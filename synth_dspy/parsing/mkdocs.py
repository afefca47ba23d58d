"""MkDocs' admonitions and tabs: their indented bodies become text that every parser understands."""

from __future__ import annotations

import re

# MkDocs: `!!! note "Title"`, `??? tip`, `=== "Tab"`, each with an indented body.
_ADMONITION = re.compile(
    r"""^([ \t]*)(?:!!!|\?\?\?\+?|===[+!]?)[ \t]+(?:[\w -]+?)?[ \t]*(?:"([^"\n]*)")?[ \t]*$""",
    re.MULTILINE,
)
_MARKS = ("!!!", "???", "===")


def without_admonitions(source: str) -> str:
    """Bodies of admonitions and tabs at the indentation of their opening line, titles kept."""
    if not any(mark in source for mark in _MARKS) or not _ADMONITION.search(source):
        return source
    out: list[str] = []
    held: list[int] = []  # indentation of each admonition that is open
    for line in source.split("\n"):
        bare = line.lstrip(" \t")
        indent = len(line.expandtabs(4)) - len(bare.expandtabs(4))
        if bare:
            while held and indent <= held[-1]:
                held.pop()
        shift = " " * max(0, indent - 4 * len(held)) if held else ""
        opened = _ADMONITION.match(line)
        if opened:
            out += [opened[2] or "", ""]
            held.append(indent)
        else:
            out.append(shift + bare if held else line)
    return "\n".join(out)
