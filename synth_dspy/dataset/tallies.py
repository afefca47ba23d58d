"""Counts, spreads and sums, as every statistics object holds them.

Numbers and summaries enter, JSON objects leave.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BARS = 30


def spread(values: Sequence[int]) -> dict[str, Any]:
    """Count, mean, quantiles and a histogram of `values`; only the count when there are none.

    The histogram has `edges`, one more than `counts`; what is above the 99th percentile is counted
    in the last bar, whose edge is that percentile.
    """
    if not values:
        return {"count": 0}
    ordered = sorted(values)

    def quantile(share: float) -> int:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {
        "count": len(ordered),
        "mean": round(sum(ordered) / len(ordered), 2),
        "min": ordered[0],
        "p10": quantile(0.10),
        "median": quantile(0.50),
        "p90": quantile(0.90),
        "max": ordered[-1],
        "histogram": _bars(ordered, ordered[0], max(quantile(0.99), ordered[0] + 1)),
    }


def _bars(values: Sequence[int], low: int, high: int) -> dict[str, list[float]]:
    bars = min(_BARS, high - low)
    width = (high - low) / bars
    tally = Counter(min(bars - 1, int((value - low) / width)) for value in values)
    return {
        "edges": [round(low + width * bar, 2) for bar in range(bars + 1)],
        "counts": [tally[bar] for bar in range(bars)],
    }


def by_count(tally: Counter[str]) -> dict[str, int]:
    return dict(sorted(tally.items(), key=lambda item: (-item[1], item[0])))


def in_order(tally: Counter[str], first: Sequence[str]) -> dict[str, int]:
    known = [name for name in first if name in tally]
    return {name: tally[name] for name in [*known, *sorted(set(tally) - set(known))]}


def stage_line(name: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    dropped = {str(reason): int(n) for reason, n in (summary.get("dropped") or {}).items()}
    return {
        "stage": str(summary.get("stage") or name),
        "in": int(summary.get("in") or 0),
        "out": int(summary.get("out") or 0),
        "dropped": by_count(Counter(dropped)),
        "failed": int(summary.get("failed") or 0),
        "llm_calls": int(summary.get("llm_calls") or 0),
        "tokens": tokens(summary.get("tokens")),
        "cost_usd": float(summary.get("cost_usd") or 0.0),
        "seconds": float(summary.get("seconds") or 0.0),
    }


def tokens(value: object) -> int:
    """Tokens of a summary as one number, whether it says a total or one by direction."""
    if isinstance(value, dict):
        return int(value.get("total") or sum(int(n or 0) for n in value.values()))
    return int(value) if isinstance(value, int | float) else 0


def usage_of(summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    stages = [stage_line(name, summary) for name, summary in summaries.items()]
    return {
        "llm_calls": sum(stage["llm_calls"] for stage in stages),
        "tokens": sum(stage["tokens"] for stage in stages),
        "cost_usd": round(sum(stage["cost_usd"] for stage in stages), 6),
        "seconds": round(sum(stage["seconds"] for stage in stages), 3),
    }
