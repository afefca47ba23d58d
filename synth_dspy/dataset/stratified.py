"""Draws that come out as asked: largest remainders, then a seeded shuffle; with who may do what.

Weights and a count enter, one name for each place leaves. It knows nothing of what is drawn.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def quotas(weights: Mapping[T, float], count: int) -> dict[T, int]:
    """How many of `count` each name gets, each within one of its share; of equal remainders the
    first named gets more.

    Raises:
        ValueError: the weights sum to 0.
    """
    total = sum(weights.values())
    if total <= 0:
        raise ValueError("the weights sum to 0")
    exact = {name: count * weight / total for name, weight in weights.items()}
    got = {name: int(share) for name, share in exact.items()}
    order = list(exact)
    order.sort(key=lambda name: got[name] - exact[name])  # stable: ties as named
    for name in order[: count - sum(got.values())]:
        got[name] += 1
    return got


def drawn(weights: Mapping[T, float], count: int, *, seed: str) -> list[T]:
    """`count` names, as many of each as `quotas` says, in an order that `seed` decides."""
    names = [name for name, n in quotas(weights, count).items() for _ in range(n)]
    random.Random(seed).shuffle(names)
    return names


def matched(
    kinds: Sequence[str],
    allowed: Mapping[str, Sequence[T]],
    weights: Mapping[T, float],
    *,
    seed: str,
) -> list[T]:
    """A name for each of `kinds` that its kind allows, as near to the quotas as that can be.

    Quotas are met exactly where any assignment meets them (a maximal flow from names to kinds);
    what is left over goes to the allowed name with the largest weight for its load.

    Args:
        allowed: names by kind, at least one each.
    """
    want = quotas(weights, len(kinds))
    open_places = Counter(kinds)
    flow = _flow(want, open_places, allowed)
    dealt: dict[str, list[T]] = {}
    load = Counter[T]()
    for (name, kind), count in flow.items():
        dealt.setdefault(kind, []).extend([name] * count)
        load[name] += count
    for kind, places in sorted(open_places.items()):
        mine = dealt.setdefault(kind, [])
        while len(mine) < places:
            name = min(allowed[kind], key=lambda n: (load[n] + 1) / max(weights.get(n, 0), 1e-9))
            mine.append(name)
            load[name] += 1
        random.Random(f"{seed} {kind}").shuffle(mine)
    return [dealt[kind].pop() for kind in kinds]


def _flow(
    want: Mapping[T, int], places: Mapping[str, int], allowed: Mapping[str, Sequence[T]]
) -> Counter[tuple[T, str]]:
    """How many of each name go to each kind: augmenting paths (Ford and Fulkerson)."""
    flow: Counter[tuple[T, str]] = Counter()
    room, left = dict(places), dict(want)
    # First in proportion, so that each name meets each of its kinds; then what is still due.
    for kind in sorted(places):
        may = [name for name in allowed[kind] if want.get(name)]
        if not may:
            continue
        share = quotas({name: float(want[name]) for name in may}, places[kind])
        for name in may:
            took = min(share[name], left[name], room[kind])
            flow[name, kind] += took
            left[name] -= took
            room[kind] -= took
    for name in want:
        while left[name] > 0 and (path := _path(name, flow, room, allowed)):
            amount = min([left[name], room[path[-1][1]], *(flow[back] for back in path[1:-1:2])])
            for step, pair in enumerate(path):
                flow[pair] += amount if step % 2 == 0 else -amount
            left[name] -= amount
            room[path[-1][1]] -= amount
    return +flow


def _path(
    start: T,
    flow: Counter[tuple[T, str]],
    room: Mapping[str, int],
    allowed: Mapping[str, Sequence[T]],
) -> list[tuple[T, str]]:
    """Pairs to add to and take from in turn, from `start` to a kind with room; [] for none."""
    waiting: deque[tuple[T, list[tuple[T, str]]]] = deque([(start, [])])
    seen = {start}
    while waiting:
        name, path = waiting.popleft()
        for kind in sorted(room):
            if name not in allowed[kind]:
                continue
            if room[kind] > 0:
                return [*path, (name, kind)]
            for other in allowed[kind]:
                if other not in seen and flow[other, kind] > 0:
                    seen.add(other)
                    waiting.append((other, [*path, (name, kind), (other, kind)]))
    return []
