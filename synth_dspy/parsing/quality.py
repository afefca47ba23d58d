"""How much a passage has to teach: HIGH, MEDIUM or LOW, by what can be counted.

The thresholds follow the filters of C4 and Gopher (https://arxiv.org/abs/2112.11446, table A1):
enough words, mostly letters, not mostly links, not one line over and over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from synth_dspy.parsing.markers import MARKER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dspy.records import CodeBlock, Image, Quality

MIN_WORDS = 20
GOOD_WORDS = 80
MIN_LETTERS = 0.5

_LINK = re.compile(r"\[[^\]]*\]\([^)]*\)|https?://\S+")
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?^\1", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{2,}")


def quality_of(text: str, code: Sequence[CodeBlock], images: Sequence[Image]) -> Quality:
    """HIGH: prose at length, or about code or a picture. LOW: too little to ask about."""
    prose = _FENCED.sub("", MARKER.sub("", text))
    words = len(_WORD.findall(prose))
    real_code = sum(1 for block in code if len(block.code.split()) >= 4)
    pictures = sum(1 for image in images if not image.decorative)
    if words < MIN_WORDS and not real_code and not (pictures and words >= MIN_WORDS // 2):
        return "LOW"
    solid = "".join(prose.split())
    letters = sum(c.isalpha() for c in solid) / max(1, len(solid))
    linked = sum(len(found) for found in _LINK.findall(prose)) / max(1, len(prose))
    lines = [line.strip() for line in prose.split("\n") if line.strip()]
    repeated = 1 - len(set(lines)) / max(1, len(lines))
    if not real_code and (letters < MIN_LETTERS or linked > 0.6 or repeated > 0.5):
        return "LOW"
    if words >= GOOD_WORDS or (words >= MIN_WORDS and (real_code or pictures)):
        return "HIGH" if linked < 0.4 else "MEDIUM"
    return "MEDIUM"
