"""How far quotas are, in one line: accepted a type, the rate, the cost so far and in all."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from synth_dspy.dataset.quota import Quota


def how_far(quota: Quota[Any, Any], spent_usd: float, seconds: float) -> tuple[int, str]:
    """Accepted records, and the line beside the bar.

    Args:
        spent_usd: in this run; what the whole will cost is projected from it.
    """
    kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    accepted = wanted = tried = 0
    for cell, state in quota.states.items():
        reached = min(state.target, state.accepted + state.promising)
        kind = kinds[str(cell[0] if isinstance(cell, tuple) else cell)]
        kind[0] += reached
        kind[1] += state.target
        accepted, wanted, tried = accepted + reached, wanted + state.target, tried + state.tried
    parts = [", ".join(f"{name} {got}/{of}" for name, (got, of) in kinds.items())]
    parts.append(f"{tried} tried")
    if seconds > 0:
        parts.append(f"{60 * accepted / seconds:.0f}/min")
    if spent_usd:
        projected = f", about ${spent_usd * wanted / accepted:.2f} in all" if accepted else ""
        parts.append(f"${spent_usd:.2f}{projected}")
    return accepted, "; ".join(parts)
