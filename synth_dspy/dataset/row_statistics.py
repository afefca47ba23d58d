"""Figures of any recipe's rows: what every report and card says in numbers.

Shown records and the stages' summaries enter, one JSON object leaves. The recipe `assistant` adds
what only its samples have (statistics.py).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.diversity import diversity
from synth_dspy.dataset.shown import ACCEPTED
from synth_dspy.dataset.split import SPLITS
from synth_dspy.dataset.tallies import by_count, in_order, spread, stage_line, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.dataset.shown import Shown

_ORDERED = {
    "split": SPLITS,
    "difficulty": ("easy", "medium", "hard"),
    "modality": ("text", "multimodal"),
}


def row_statistics(
    rows: Sequence[Shown],
    *,
    stage_summaries: Mapping[str, Mapping[str, Any]] | None = None,
    contamination: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The numbers of rows, accepted and rejected ones together.

    Args:
        rows: each facet of the accepted ones is counted; their titles are measured for variety.
        stage_summaries: `summary.json` of each stage, by stage, in the order of the recipe.
        contamination: the object of contamination.py; None when nothing was checked.
    """
    summaries = stage_summaries or {}
    accepted = [row for row in rows if row.state == ACCEPTED]
    tallies: dict[str, Counter[str]] = {name: Counter() for name in ("split", "type", "source")}
    for row in accepted:
        for name, value in (*row.facets.items(), ("source", row.source)):
            if value:
                tallies.setdefault(name, Counter())[value] += 1
    reasons: dict[str, Counter[str]] = {}
    for row in rows:
        if row.state != ACCEPTED:
            reasons.setdefault(row.stage, Counter())[row.reason] += 1
    return {
        "total": len(accepted),
        "counts": {
            name: in_order(tally, _ORDERED[name]) if name in _ORDERED else by_count(tally)
            for name, tally in tallies.items()
        },
        "lengths": {
            "text": spread([len(p.text) or _said(p.turns) for row in accepted for p in row.parts])
        },
        "stages": [stage_line(name, summary) for name, summary in summaries.items()],
        "usage": usage_of(summaries),
        "rejected": {
            "total": len(rows) - len(accepted),
            "by_stage": {stage: by_count(tally) for stage, tally in sorted(reasons.items())},
        },
        "diversity": diversity([row.title for row in accepted]),
        "contamination": dict(contamination) if contamination is not None else None,
    }


def _said(turns: Sequence[Any]) -> int:
    return sum(len(turn.content) for turn in turns)
