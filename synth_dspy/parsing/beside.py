"""Which local images a document may show, told without parsing it.

What a parser makes of a page depends on the images that lie beside it, too. Any way of writing
their names keeps the words of the name together, and its ending where no `.*` or component stands
for it; so a document that lacks one of those words cannot show the image. The answer may hold an
image too many (then a page is parsed once more than needed), never one too few.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from synth_dspy.parsing.registry import PARSERS, Parser, parser_of
from synth_dspy.parsing.resolve import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_dspy.records import SourceFile

# What can be drawn, and what can be named as an image and is then dropped with a reason.
ENDINGS = frozenset({*EXTENSIONS, ".pdf", ".eps", ".ico", ".jp2", ".apng", ""})
UNSEEN_FOLDERS = frozenset({".git", "node_modules", ".venv", "__pycache__", ".ipynb_checkpoints"})

_WORD = re.compile(rb"[A-Za-z0-9]+")
_JSON_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}|.)")


class Beside:
    """The images below the roots of one source: walked once, hashed when first asked for."""

    def __init__(self, root: Path, public_roots: Sequence[Path]) -> None:
        self._root = root
        self._public_roots = tuple(public_roots)
        self._hashes: dict[Path, str] = {}

    def of(
        self, file: SourceFile, parsers: Sequence[Parser] = PARSERS
    ) -> list[tuple[str, str, str]]:
        """`(root, path, sha256)` of every image that the document may show, sorted.

        `root` is "source", or "public" and a number: where they lie on this machine decides
        nothing.
        """
        parser = parser_of(file.kind, parsers)
        if parser is None or not parser.shows_files or not self._images:
            return []
        try:
            data = (self._root / file.path).read_bytes()
        except OSError:
            return []
        words = _words(data, escaped=file.kind == "ipynb")
        any_ending = b".*" in data or b"name" in words
        return [
            (root, path, self._hash(place))
            for root, path, place, stem, ending in self._images
            if stem <= words and (any_ending or ending <= words)
        ]

    @cached_property
    def _images(self) -> list[tuple[str, str, Path, frozenset[bytes], frozenset[bytes]]]:
        places = [("source", self._root)]
        places += [(f"public {n}", root) for n, root in enumerate(self._public_roots)]
        found = []
        for name, root in places:
            for path in _walk(root):
                stem, ending = (
                    frozenset(_WORD.findall(os.fsencode(part))) for part in (path.stem, path.suffix)
                )
                found.append((name, path.relative_to(root).as_posix(), path, stem, ending))
        return sorted(found, key=lambda image: image[:2])

    def _hash(self, path: Path) -> str:
        known = self._hashes.get(path)
        if known is None:
            try:
                with path.open("rb") as opened:
                    known = hashlib.file_digest(opened, "sha256").hexdigest()
            except OSError as error:
                known = error.strerror or "unreadable"
            self._hashes[path] = known
        return known


def _walk(root: Path) -> Iterator[Path]:
    for parent, below, names in os.walk(root):
        below[:] = sorted(set(below) - UNSEEN_FOLDERS)
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() in ENDINGS and path.is_file():
                yield path


def _words(data: bytes, *, escaped: bool) -> frozenset[bytes]:
    """Every word of the document, however its letters are escaped."""
    words = set(_WORD.findall(data))
    if escaped and b"\\" in data:  # a JSON `\nfigure` holds the word figure
        data = _JSON_ESCAPE.sub(b" ", data)
        words.update(_WORD.findall(data))
    if b"%" in data:
        words.update(_WORD.findall(unquote_to_bytes(data)))
    return frozenset(words)
