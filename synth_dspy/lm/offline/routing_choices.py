"""Choices of the offline model: profiles by fit and coverage, agents by worked examples.

A prompt's own text enters, a choice of what the prompt lists leaves. Without worked examples a
query goes to the agent whose description shares most words with it; with them, to the agent whose
examples make its words most likely.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from synth_dspy.lm.offline.words import stems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.lm.offline.fields import Ask

_SMOOTH = 0.3  # examples of each kind that are taken as seen
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
    return {"selected_profiles": json.dumps(chosen), "why": why}


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
    if examples:
        scores = _learned(asked, examples, names)
    else:
        scores = {m["name"]: float(len(_terms(m["text"]) & asked)) for m in listed}
    best = max(names, key=lambda name: (scores[name], -names.index(name))) if names else ""
    return {"agent": best}


def _learned(
    asked: set[str], examples: Sequence[tuple[set[str], str]], names: Sequence[str]
) -> dict[str, float]:
    """Naive Bayes over the examples' terms: what most of an agent's queries hold speaks for it."""
    known = set().union(*(terms for terms, _ in examples))
    scores = {}
    for name in names:
        mine = [terms for terms, agent in examples if agent == name]
        count = Counter(term for terms in mine for term in terms)
        prior = math.log((len(mine) + 1) / (len(examples) + len(names)))
        scores[name] = prior + sum(
            math.log((count[term] + _SMOOTH) / (len(mine) + 2 * _SMOOTH)) for term in asked & known
        )
    return scores


def _modalities(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _terms(text: str) -> set[str]:
    """Words and neighbours of words: "what did" tells more than "what". Names are left out: they
    tell what is asked about, not who knows it."""
    words = re.findall(r"[A-Za-z]+|[,:]", text)
    plain = [word if word[0].islower() or place == 0 else "" for place, word in enumerate(words)]
    pairs = itertools.pairwise(plain)
    return {w.lower() for w in plain if w} | {f"{a} {b}".lower() for a, b in pairs if a and b}
