"""The numbers of an example, each by a rule written here: derived from text, never measured.

Nothing here ran a search or asked a user. `success`, `user_satisfaction` and the like say how far
query, content and agents fit together by these rules, and each row says that it is synthetic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from synth_dspy.programs.routing.patterns import Patterns, words_of

if TYPE_CHECKING:
    from synth_dspy.programs.routing.agents import AgentMap

RULES = "synth_dspy.programs.routing.figures, version 1: derived by rule, not measured"

SERVED = 0.4
"""Coverage from which an answer counts as found: half of a short query's words are about form."""

_CUES: Mapping[str, str] = {
    "VIDEO": r"video|footage|film|clip|watch",
    "DOCUMENT": r"document|handbook|passage|section|paragraphs|written|writing|read",
    "IMAGE": r"image|picture|photo|diagram|chart|map|drawing|sketch",
    "AUDIO": r"audio|recording|podcast|interview|listen|hear|spoken",
}
_CUE = {name: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for name, words in _CUES.items()}


def coverage(query: str, patterns: Sequence[Patterns]) -> float:
    """Share of the query's words of substance that the content holds, 0 to 1."""
    asked = set(words_of(query))
    if not asked:
        return 0.0
    held = set().union(*(p.words for p in patterns))
    return round(len(asked & held) / len(asked), 3)


@lru_cache(maxsize=256)  # several figures of one row ask it
def cued(query: str) -> tuple[str, ...]:
    """The modalities that a query names by a word of theirs."""
    return tuple(name for name, pattern in _CUE.items() if pattern.search(query))


def ambiguity(query: str, modalities: Sequence[str]) -> float:
    """Share of the modalities of the answer that the query does not name, 0 to 1."""
    named = cued(query)
    return round(sum(m not in named for m in modalities) / len(modalities), 3)


def overlap(one: Patterns, other: Patterns) -> float:
    """Jaccard similarity of the words of two records, 0 to 1."""
    union = one.words | other.words
    return round(len(one.words & other.words) / len(union), 3) if union else 0.0


def agreement(one: Patterns, other: Patterns) -> float:
    """Share of the smaller record's entities and dates that the other holds, too, 0 to 1."""
    first, second = {*one.entities, *one.dates}, {*other.entities, *other.dates}
    least = min(len(first), len(second))
    return round(len(first & second) / least, 3) if least else 0.0


def improvement(one: Patterns, other: Patterns) -> float:
    """What the second record adds: agreement times the share of it that is new, 0 to 1."""
    return round(agreement(one, other) * (1 - overlap(one, other)), 3)


def confidence(query: str, modality: str, found: float) -> float:
    """Half for the right modality's being named (a quarter when none is), half for coverage."""
    named = cued(query)
    sign = 1.0 if modality in named else (0.5 if not named else 0.0)
    return round(0.5 * sign + 0.5 * found, 3)


def execution_seconds(agents: AgentMap, sequence: Sequence[str]) -> tuple[float, float]:
    """`(with searches at once, one after the other)`, by the agents' typical times."""
    times = {name: agents.agents[name].seconds for name in sequence}
    waits = {later for _, later in agents.dependencies(sequence)}
    at_once = [times[name] for i, name in enumerate(sequence) if i not in waits]
    after = sum(times[name] for i, name in enumerate(sequence) if i in waits)
    return round(max(at_once, default=0.0) + after, 3), round(sum(times.values()), 3)


def parallel_efficiency(agents: AgentMap, sequence: Sequence[str]) -> float:
    """Share of the sequential time that running searches at once saves, 0 to 1."""
    parallel, sequential = execution_seconds(agents, sequence)
    return round(1 - parallel / sequential, 3) if sequential else 0.0
