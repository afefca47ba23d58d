"""Rows -> train, validation and test, so that rows of one section or one first text stay together.

Group names and their sizes enter, a split for each group leaves. Memory is bounded by the number of
groups; rows themselves are never held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from synth_dspy.dataset.split import SPLITS


def split_groups(
    sizes: Mapping[str, int], ratios: tuple[float, float, float], seed: int
) -> dict[str, str]:
    """A split for each group, as near to `ratios` of the rows as whole groups allow.

    Groups are taken in the order of a hash of seed and name, each by the split that lacks most of
    its share: what a group gets depends on no row's place.
    """
    total = sum(sizes.values())
    asked = {name: ratio * total for name, ratio in zip(SPLITS, ratios, strict=True) if ratio > 0}
    have = dict.fromkeys(asked, 0)
    chosen: dict[str, str] = {}
    for group in sorted(sizes, key=lambda name: _drawn(seed, name)):
        split = max(asked, key=lambda name: 1 - have[name] / asked[name])
        chosen[group] = split
        have[split] += sizes[group]
    return chosen


def _drawn(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\x1f{name}".encode(), digest_size=8).digest()
