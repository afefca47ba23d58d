"""Small documents and images made on the spot, and one call that parses them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

from PIL import Image

from synth_dspy.parsing import ImageStore, ParseOptions, parse_file
from synth_dspy.parsing.registry import kind_of
from synth_dspy.records import SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from synth_dspy.records import Document

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="60pt" height="30pt" viewBox="0 0 60 30">'
    '<rect width="30" height="30" fill="red"/></svg>'
)


def picture(colour: str = "red", size: tuple[int, int] = (80, 60), form: str = "PNG") -> bytes:
    """An image of two colours, in any form that Pillow writes."""
    image = Image.new("RGB", size, colour)
    image.paste("white", (0, 0, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def b64(data: bytes) -> str:
    """Base64 as notebooks hold it."""
    return base64.b64encode(data).decode()


def notebook(*cells: dict[str, Any], **fields: Any) -> bytes:
    """A notebook of nbformat 4.5."""
    made = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **fields}
    return json.dumps(made).encode()


def markdown_cell(source: str, **fields: Any) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source, **fields}


def code_cell(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    """A code cell with its outputs."""
    return {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": list(outputs),
    }


def shows(**data: Any) -> dict[str, Any]:
    """A display_data output; `image_png=` stands for `image/png`."""
    bundle = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": bundle}


def prints(text: str) -> dict[str, Any]:
    """A stream output."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def write(root: Path, path: str, data: bytes | str) -> Path:
    """A file below `root`."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data.encode() if isinstance(data, str) else data)
    return target


def listed(root: Path, path: str, *, public_roots: tuple[str, ...] = ()) -> SourceFile:
    """The file as a source would list it."""
    data = (root / path).read_bytes()
    kind = kind_of(path)
    assert kind is not None
    sha256 = hashlib.sha256(data).hexdigest()
    return SourceFile("docs", str(root), path, kind, sha256, len(data), public_roots)


def parsed(
    root: Path,
    path: str,
    data: bytes | str,
    *,
    options: ParseOptions | None = None,
    public_roots: tuple[str, ...] = (),
) -> Document:
    """`data` written to `root / path` and parsed; images go to `root/../run`."""
    write(root, path, data)
    file = listed(root, path, public_roots=public_roots)
    store = ImageStore(root.parent / "run")
    return parse_file(file, images=store, options=options or ParseOptions())


def check(document: Document) -> None:
    """What holds of every document: true spans, full cover, one marker an image, in order."""
    from synth_dspy.parsing.markers import MARKER

    assert MARKER.findall(document.text) == [image.id for image in document.images]
    position = 0
    for block in document.blocks:
        assert block.start >= position
        assert not document.text[position : block.start].strip()
        assert block.end > block.start
        position = block.end
    assert not document.text[position:].strip()
    for code in document.code_blocks:
        shown = document.text[code.start : code.end]
        assert all(line.strip() in shown for line in code.code.splitlines())
