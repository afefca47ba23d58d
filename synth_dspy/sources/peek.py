"""Whether files may hold images, without parsing them: for advice that is given before a run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

_MARKS = re.compile(r"!\[|<img|<Image|<Figure|\{figure\}|\{image\}|:::image", re.IGNORECASE)
_OFTEN = {".ipynb", ".pdf", ".epub", ".docx", ".pptx"}
_TEXT = {".md", ".mdx", ".html", ".htm", ".markdown"}
_LOOKED_AT = 200


def may_hold_images(files: Iterable[Path]) -> bool:
    """Whether one of the first files is of a kind that often does, or refers to an image."""
    return any(_may(file) for file in islice(files, _LOOKED_AT))


def _may(file: Path) -> bool:
    suffix = file.suffix.lower()
    if suffix in _OFTEN:
        return True
    try:
        text = file.read_text(encoding="utf-8", errors="replace") if suffix in _TEXT else ""
    except OSError:
        return False  # said when it is parsed
    return _MARKS.search(text) is not None
