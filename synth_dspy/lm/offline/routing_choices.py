"""Choices of the offline model: profiles by fit and coverage, agents by worked examples.

A prompt's own text enters, a choice of what the prompt lists leaves. Without worked examples a
query goes to the agent whose description shares most words with it; with them, to the agent of the
examples that are most like it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.words import stems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.lm.offline.fields import Ask

_LISTED = re.compile(r"^(?P<name>[^(:]+?)\s*(?:\((?P<covers>[^)]*)\))?\s*:\s*(?P<text>.*)$")


def select_profiles(ask: Ask) -> Mapping[str, object]:
    """Profiles by fit to the task, then by what they add."""
    listed = [m for m in map(_LISTED.match, ask.listed("profiles")) if m]
    task, limit = set(stems(ask.text("task"))), max(ask.number("limit"), 1)
    covers = {m["name"]: _modalities(m["covers"] or "") for m in listed}
    fit = {m["name"]: len(task & set(stems(m["text"]))) for m in listed}
    chosen: list[str] = []
    seen: set[str] = set()
    while len(chosen) < min(limit, len(covers)):
        rest = [name for name in covers if name not in chosen]
        best = max(rest, key=lambda name: (len(covers[name] - seen), fit[name], -rest.index(name)))
        chosen.append(best)
        seen |= covers[best]
    why = f"Together they cover {', '.join(sorted(seen)) or 'nothing that is named'}."
    return {"selected_profiles": "\n".join(chosen), "why": why}


def route(ask: Ask) -> Mapping[str, object]:
    """The agent for a query."""
    listed = [m for m in map(_LISTED.match, ask.listed("agents")) if m]
    names = [m["name"] for m in listed]
    asked = _terms(ask.text("query"))
    examples = [
        (_terms(demo.inputs.get("query", "")), demo.outputs.get("agent", "").strip())
        for demo in ask.demos
    ]
    examples = [(terms, agent) for terms, agent in examples if agent in names]
    if not examples:
        examples = [(_terms(m["text"]), m["name"]) for m in listed]
    rarity = _rarity([terms for terms, _ in examples])
    scores = Counter[str]()
    for terms, agent in examples:
        shared = terms & asked
        likeness = sum(rarity[term] for term in shared)
        scores[agent] = max(scores[agent], likeness)  # type: ignore[assignment]
    best = max(names, key=lambda name: (scores[name], -names.index(name))) if names else ""
    return {"agent": best}


def _modalities(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _terms(text: str) -> set[str]:
    """Stems, and neighbouring words: "what did" tells more than "what"."""
    words = re.findall(r"[a-z]+", text.lower())
    return set(stems(text)) | {f"{a} {b}" for a, b in zip(words, words[1:], strict=False)}


def _rarity(documents: Sequence[set[str]]) -> dict[str, float]:
    count = Counter(term for terms in documents for term in terms)
    return {term: math.log(1 + len(documents) / n) for term, n in count.items()}
