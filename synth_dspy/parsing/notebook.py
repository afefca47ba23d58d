"""Notebooks: cells in order, code with what it printed and drew.

A Markdown cell stands as it is, images replaced by markers. A code cell is a fenced block, its
recorded text a fenced `text` block after it, then the markers of the pictures it made.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from synth_dspy.parsing.builder import DocumentBuilder, clean
from synth_dspy.parsing.image_error import ImageError
from synth_dspy.parsing.markdown import add_markdown, split_front_matter
from synth_dspy.parsing.notebook_json import joined, load_notebook
from synth_dspy.parsing.outputs import OutputReader
from synth_dspy.parsing.resolve import decode_base64

if TYPE_CHECKING:
    from synth_dspy.parsing.images import ImageStore
    from synth_dspy.parsing.options import ParseOptions
    from synth_dspy.records import Document, SourceFile

Json = dict[str, Any]


def parse(data: bytes, file: SourceFile, images: ImageStore, options: ParseOptions) -> Document:
    """A notebook as a document.

    Raises:
        DocumentError: `invalid_json`, `encoding`, `invalid_notebook`.
    """
    notebook = load_notebook(data)
    builder = DocumentBuilder(file, images, options)
    language = _language(notebook)
    title = ""
    cells: list[Json] = notebook["cells"]
    for index, cell in enumerate(cells):
        kind = cell["cell_type"]
        if kind == "markdown":
            source = clean(cell["source"])
            if not index or not builder.length:
                found, source = split_front_matter(source)
                title = title or found
            _add_markdown_cell(builder, source, index, cell["attachments"])
        elif kind == "code":
            _add_code_cell(builder, cell, index, language)
        else:
            builder.add("text", clean(cell["source"]), cell=index)
            _add_unused(builder, cell["attachments"], set(), index)
    return builder.finish(title=title, stats=_stats(cells))


def _language(notebook: Json) -> str:
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, field in (("language_info", "name"), ("kernelspec", "language")):
        info = metadata.get(key)
        if isinstance(info, dict) and isinstance(info.get(field), str) and info[field]:
            name = str(info[field]).lower()
            return "python" if name.startswith(("python", "ipython")) else name
    return "python"


def _stats(cells: list[Json]) -> dict[str, int]:
    return {
        "cells": len(cells),
        "code_cells": sum(cell["cell_type"] == "code" for cell in cells),
        "markdown_cells": sum(cell["cell_type"] == "markdown" for cell in cells),
        "outputs": sum(len(cell["outputs"]) for cell in cells if cell["cell_type"] == "code"),
        "attachments": sum(len(cell["attachments"]) for cell in cells),
    }


def _add_markdown_cell(
    builder: DocumentBuilder, source: str, index: int, attachments: Json
) -> None:
    used: set[str] = set()

    def attachment(name: str) -> bytes:
        for spelling in (name, unquote(name)):
            if spelling in attachments:
                used.add(spelling)
                return _attached(attachments[spelling])
        raise ImageError("missing", f"no attachment {name!r} in this cell")

    add_markdown(builder, source, cell=index, attachment=attachment)
    _add_unused(builder, attachments, used, index)


def _add_unused(builder: DocumentBuilder, attachments: Json, used: set[str], index: int) -> None:
    """Attachments that no text shows are in the notebook all the same: they follow their cell."""
    for name, bundle in attachments.items():
        if name not in used:
            read = partial(_attached, bundle)
            shown = builder.image(f"attachment:{name}", "attachment", read, cell=index)
            builder.add("image", shown, cell=index)


def _attached(bundle: object) -> bytes:
    if isinstance(bundle, dict):
        for mime, value in bundle.items():
            if str(mime).startswith("image/"):
                if mime == "image/svg+xml" and "<svg" in joined(value):
                    return joined(value).encode("utf-8", "replace")
                return decode_base64(joined(value))
    raise ImageError("unreadable", "an attachment that holds no image")


def _add_code_cell(builder: DocumentBuilder, cell: Json, index: int, language: str) -> None:
    code = clean(cell["source"])
    read = OutputReader(builder, code, index)
    for number, output in enumerate(cell["outputs"]):
        read.add(output, number)
    recorded = read.text()
    language = _magic_language(code) or language
    builder.add_code(code, language, output=recorded, cell=index)
    if recorded:
        builder.add("output", _fenced(recorded), language="text", cell=index)
    for shown in read.markers:
        builder.add("image", shown, cell=index)


def _magic_language(code: str) -> str:
    """The language of a cell that a magic hands to another interpreter (`%%bash`)."""
    first = code.lstrip().split("\n", 1)[0].split()
    magics = {"%%bash": "bash", "%%sh": "bash", "%%html": "html", "%%javascript": "javascript",
              "%%js": "javascript", "%%latex": "latex", "%%sql": "sql", "%%R": "r", "%%svg": "svg",
              "%%markdown": "markdown", "%%writefile": "text", "%%perl": "perl",
              "%%ruby": "ruby"}  # fmt: skip
    return magics.get(first[0], "") if first else ""


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
