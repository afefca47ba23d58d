"""The folder of real documents that SYNTH_CORPUS names: its documents, its truth, ours beside it.

The truth was made with other tools than ours: plain JSON, a scanner of its own, poppler, Pillow.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from synth_dspy.parsing.registry import kind_of
from synth_dspy.records import Document, SourceFile

Json = dict[str, Any]

KINDS = (
    "cells", "code cells", "outputs", "output images", "attachments", "attached images",
    "references found", "references missing", "references remote", "data URIs", "pages",
    "pdf images", "pdf text",
)  # fmt: skip
SHOWN = ("output_tag", "markdown", "html", "jsx", "directive")
TEXT_TOLERANCE = 0.01  # of a PDF's characters: readers differ in ligatures and soft hyphens


def corpus() -> Path | None:
    """The folder, or None when the environment names none."""
    named = os.environ.get("SYNTH_CORPUS")
    return Path(named).resolve() if named else None


@cache
def truth() -> dict[str, Json]:
    """What is known of each document that was not made to be broken, by path."""
    folder = corpus()
    if folder is None:
        return {}
    files: dict[str, Json] = json.loads((folder / "truth.json").read_bytes())["files"]
    return {path: t for path, t in files.items() if t["kind"] != "broken"}


def source_file(path: str) -> SourceFile:
    """A document as its repository's root, with the site's folders, would list it."""
    folder = corpus()
    assert folder is not None
    parts = path.split("/")
    depth = {"qiskit-docs": 1, "qiskit-docs-relative": 1, "facts": 1, "broken": 3}.get(parts[0], 2)
    if path.startswith("broken/generated/"):
        depth = 2
    root = folder.joinpath(*parts[:depth])
    inner = "/".join(parts[depth:])
    data = (root / inner).read_bytes()
    kind = "facts" if parts[0] == "facts" else kind_of(path)
    assert kind is not None
    public = tuple(str(root / name) for name in ("public", "static") if (root / name).is_dir())
    sha256 = hashlib.sha256(data).hexdigest()
    return SourceFile(parts[0], str(root), inner, kind, sha256, len(data), public)


def expected(known: Json) -> dict[str, Counter[object]]:
    """What the truth says is in a document, a multiset a kind; a kind it is silent of is left out.

    Images are told by content: by the sha256 of their bytes, with the place of an output.
    """
    folder = corpus()
    assert folder is not None
    refs = [*(known.get("image_refs") or ()), *(known.get("markdown_image_refs") or ()),
            *(known.get("output_image_tags_in_text_plain") or ())]  # fmt: skip
    status = Counter(ref["status"] for ref in refs)
    found: dict[str, Counter[object]] = {}
    if known["kind"] == "pdf":
        found["pages"] = Counter({"": known["pages"]})
        found["pdf images"] = Counter({"": known["images_ge_64px"]})
        found["pdf text"] = Counter({"": known["text_chars"]})
        return found
    if known["kind"] == "ipynb":
        found["cells"] = Counter({"": known["cells"]})
        found["code cells"] = Counter({"": known["cell_types"].get("code", 0)})
        found["outputs"] = Counter({"": known["outputs"]})
        found["attachments"] = Counter({"": len(known["attachments"])})
        found["output images"] = Counter(
            (image["cell"], image["output"], image["sha256"])
            for image in known["output_images"]
            if image["decodes"]
        )
        shown = {
            (a["cell"], image["sha256"]) for a in known["attachments"] for image in a["images"]
        }
        found["attached images"] = Counter(shown)
    found["references found"] = Counter(
        (ref.get("cell"), _sha256(folder / ref["resolved"]))
        for ref in refs
        if ref["status"] == "local_found"
    )
    missing = status["local_missing"] + status["site_absolute_missing"]
    found["references missing"] = Counter({"": missing})
    # Tags in HTML outputs are counted without saying where they lead: to other sites, all of them.
    in_outputs = known.get("img_tags_in_html_outputs") or 0
    found["references remote"] = Counter({"": status["remote"] + in_outputs})
    found["data URIs"] = Counter({"": status["data_uri"]})
    return found


def ours(document: Document, known: Json) -> dict[str, Counter[object]]:
    """The same of what was parsed."""
    stats, images = document.stats, document.images
    attached = {(i.cell, i.sha256) for i in images if i.origin == "attachment"}
    dropped = Counter(image.reason for image in document.dropped_images)
    found: dict[str, Counter[object]] = {
        "cells": Counter({"": stats.get("cells", 0)}),
        "code cells": Counter({"": stats.get("code_cells", 0)}),
        "outputs": Counter({"": stats.get("outputs", 0)}),
        "attachments": Counter({"": stats.get("attachments", 0)}),
        "output images": Counter((i.cell, i.output, i.sha256) for i in images if not i.ref
                                 and i.origin == "output"),
        "attached images": Counter(attached),
        "references found": Counter((i.cell, i.sha256) for i in images if i.origin in SHOWN),
        "references missing": Counter({"": dropped["missing"]}),
        "references remote": Counter({"": dropped["remote"]}),
        "data URIs": Counter({"": sum(i.origin == "data_uri" for i in images)}),
        "pages": Counter({"": stats.get("pages", 0)}),
        "pdf images": Counter({"": sum(i.origin == "pdf_bitmap" for i in images)}),
        "pdf text": Counter({"": stats.get("text_chars", 0)}),
    }  # fmt: skip
    if known["kind"] == "pdf":
        said, read = known["text_chars"], stats.get("text_chars", 0)
        if abs(said - read) <= TEXT_TOLERANCE * said:
            found["pdf text"] = Counter({"": said})
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
