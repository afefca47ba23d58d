"""A model for rows behind a loopback server: it writes as many new rows as it is asked for.

Each row's words are drawn from what was asked and its place, so equal requests get equal rows.
"""

from __future__ import annotations

import random
from typing import Any

import orjson

from tests.loopback import Prompt

_FIRST = ("bar", "dor", "fen", "gil", "hom", "jun", "kel", "lor", "mip", "nor")
_SECOND = ("as", "ef", "im", "os", "ut", "an", "el", "ir", "on", "ub")
_WORDS = [f"{first}{second}" for first in _FIRST for second in _SECOND]


def drawn(chance: random.Random, words: int) -> str:
    """Some words that mean nothing."""
    return " ".join(chance.choices(_WORDS, k=words))


def triplets(prompt: Prompt) -> dict[str, Any] | None:
    """Rows, every ninth a repeat of the first; other questions are answered as usual."""
    if "rows" in prompt.asked:
        count = int(prompt.given["count"])
        seed = orjson.dumps([prompt.given, prompt.body.get("seed")])
        rows = [
            _row(random.Random(seed + bytes([0 if at % 9 == 8 else at]))) for at in range(count)
        ]
        return {"rows": orjson.dumps(rows).decode()}
    if "topics" in prompt.asked:
        return {
            "refined_request": "Rows on rivers, in plain words.",
            "topics": orjson.dumps([f"subject {n}" for n in range(12)]).decode(),
            "personas": orjson.dumps(["a beginner", "an engineer", "a farmer"]).decode(),
        }
    return None


def _row(chance: random.Random) -> dict[str, str]:
    return {
        "anchor": f"What is {drawn(chance, 5)}?",
        "positive": f"=It is {drawn(chance, 12)}.",
        "negative": f"It is no {drawn(chance, 12)}.",
    }
