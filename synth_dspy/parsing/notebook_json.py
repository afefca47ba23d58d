"""Notebook bytes in, cells of nbformat 4 out, however old or damaged the file is.

The file is never rewritten; nbformat's schema is not asked, since a notebook that breaks it is
still worth reading. Knows nothing of documents.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import orjson

from synth_dspy.errors import DocumentError
from synth_dspy.parsing.encoding import decode_text

Json = dict[str, Any]


def load_notebook(data: bytes) -> Json:
    """The notebook as nbformat 4, its cells all objects with `cell_type` and `source` as text.

    Raises:
        DocumentError: `invalid_json` (with the position), `encoding`, `invalid_notebook`.
    """
    notebook = _loaded(data)
    if not isinstance(notebook, dict):
        raise DocumentError(
            "invalid_notebook", f"the top level is {_named(notebook)}, not an object"
        )
    version = notebook.get("nbformat")
    if isinstance(version, int) and 1 <= version < 4:
        notebook = _upgraded(notebook, version)
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise DocumentError("invalid_notebook", f"'cells' is {_named(cells)}, not a list")
    notebook["cells"] = [_cell(cell) for cell in cells if isinstance(cell, dict)]
    return notebook


def joined(value: object) -> str:
    """Text of a notebook field, which is a string, or a list of them, or missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return ""


def _loaded(data: bytes) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # NaN, lone surrogates, other encodings: the slower reader takes them
    text = decode_text(data)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(
            "invalid_json", f"{error.msg} at {place} (character {error.pos})"
        ) from error
    except RecursionError as error:
        raise DocumentError("invalid_json", "nested too deeply") from error


def _upgraded(notebook: Json, version: int) -> Json:
    """nbformat's own readers of old versions, then its converter; nothing is validated."""
    import nbformat

    try:
        reader = import_module(f"nbformat.v{version}.nbjson").JSONReader()
        return dict(nbformat.convert(reader.to_notebook(notebook), 4))
    except Exception as error:
        raise DocumentError(
            "invalid_notebook", f"nbformat {version} that cannot be upgraded: {error!r}"
        ) from error


def _cell(cell: Json) -> Json:
    """The cell with its fields in the types that nbformat promises."""
    kind = cell.get("cell_type")
    source = joined(cell.get("source"))
    if kind == "heading":
        level = cell.get("level")
        source = f"{'#' * (level if isinstance(level, int) and 1 <= level <= 6 else 1)} {source}"
        kind = "markdown"
    outputs = cell.get("outputs")
    attachments = cell.get("attachments")
    return {
        **cell,
        "cell_type": kind if isinstance(kind, str) else "raw",
        "source": source,
        "outputs": [o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else [],
        "attachments": attachments if isinstance(attachments, dict) else {},
    }


def _named(value: object) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"
