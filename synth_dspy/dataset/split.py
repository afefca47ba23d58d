"""Train, validation and test: stratified where it can be, never dividing what belongs together.

Samples enter; the same samples with `split` set leave. It knows nothing of files.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synth_dspy.dataset.groups import NEAR, groups
from synth_dspy.errors import ConfigError
from synth_dspy.records import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synth_dspy.records import Sample

SPLITS = ("train", "validation", "test")
_PASSES = 20
_NOTHING: Mapping[str, str] = {}


def split_samples(
    samples: Sequence[Sample],
    *,
    ratios: tuple[float, float, float],
    seed: int,
    extra_groups: Mapping[str, str] = _NOTHING,
    near_threshold: float = NEAR,
) -> list[Sample]:
    """`samples`, in their order, with `split` set.

    Samples that share a chunk, an image, an extra group or (nearly) their wording are in one split;
    within that, sizes come as near the ratios as they can, by type x modality x category, and by
    each of these alone. The result depends on the set of samples and `seed`, not on their order. A
    split with a ratio above 0 is empty only when there are fewer groups than such splits.

    Args:
        ratios: of train, validation and test; each >= 0, their sum 1.
        extra_groups: sample id -> a name that more samples may share, such as a section.

    Raises:
        ConfigError: the ratios are negative or do not sum to 1.
    """
    _check(ratios)
    if not samples:
        return []
    order = sorted(range(len(samples)), key=lambda i: (samples[i].rank, samples[i].id))
    ordered = [samples[i] for i in order]
    together = groups(ordered, extra_groups=extra_groups, near_threshold=near_threshold)
    together.sort(key=lambda group: (-len(group), digest(seed, ordered[group[0]].id)))
    weights = _Strata(ordered, together, ratios)
    place = weights.greedy()
    weights.improve(place)
    weights.fill_empty(place)
    split: dict[int, str] = {}
    for group, where in zip(together, place, strict=True):
        split.update((order[member], SPLITS[where]) for member in group)
    return [replace(sample, split=split[i]) for i, sample in enumerate(samples)]


def unfilled(rows: Mapping[str, int], ratios: Mapping[str, float]) -> list[str]:
    """Splits that were asked for and have no row.

    Args:
        rows, ratios: by split.
    """
    return [split for split in SPLITS if ratios.get(split, 1) > 0 and not rows.get(split)]


class _Strata:
    """How far a placement of groups is from the asked sizes, stratum by stratum.

    Attributes:
        sizes: `(groups, strata) float64`, how many samples of a stratum a group holds.
        target: `(splits, strata) float64`, how many of them each split should hold.
        held: `(splits, strata) float64`, how many it holds.
    """

    def __init__(
        self, samples: Sequence[Sample], together: list[list[int]], ratios: Sequence[float]
    ) -> None:
        column: dict[tuple[str, ...], int] = {}
        self.sizes: NDArray[np.float64] = np.zeros((len(together), _columns(samples, column)))
        for row, group in enumerate(together):
            for member in group:
                for stratum in _strata(samples[member]):
                    self.sizes[row, column[stratum]] += 1
        self.open = [split for split in range(len(SPLITS)) if ratios[split] > 0]
        shares = np.asarray([ratios[split] for split in self.open])
        self.target = shares[:, None] * self.sizes.sum(axis=0)[None, :]
        self.held = np.zeros_like(self.target)
        # The finest strata count least: with few samples they cannot all be met, the totals can.
        depth = np.asarray([1.0 if len(stratum) > 1 else 3.0 for stratum in column])
        self._weight = depth[None, :] / np.maximum(self.target, 0.5)

    def _cost(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the squared, weighted deviation of each split grows by when it takes `size`."""
        gap = self.held - self.target
        grown: NDArray[np.float64] = ((2 * gap + size) * size * self._weight).sum(axis=1)
        return grown

    def greedy(self) -> list[int]:
        """A split for each group, the largest groups first."""
        place = []
        for size in self.sizes:
            best = int(np.argmin(self._cost(size)))
            self.held[best] += size
            place.append(self.open[best])
        return place

    def improve(self, place: list[int]) -> None:
        """Move groups, one at a time, while that brings the sizes nearer."""
        for _ in range(_PASSES):
            moved = False
            for row, size in enumerate(self.sizes):
                now = self.open.index(place[row])
                self.held[now] -= size
                cost = self._cost(size)
                best = int(np.argmin(cost))
                if cost[best] >= cost[now] - 1e-9:
                    best = now
                self.held[best] += size
                if best != now:
                    place[row] = self.open[best]
                    moved = True
            if not moved:
                return

    def fill_empty(self, place: list[int]) -> None:
        """Give each empty split the smallest group of the fullest one."""
        for split in self.open:
            if split in place or len(place) < len(self.open):
                continue
            fullest = max(self.open, key=lambda other: (place.count(other), -other))
            row = max(r for r, where in enumerate(place) if where == fullest)
            place[row] = split


def _columns(samples: Sequence[Sample], column: dict[tuple[str, ...], int]) -> int:
    for sample in samples:
        for stratum in _strata(sample):
            column.setdefault(stratum, len(column))
    return len(column)


def _strata(sample: Sample) -> tuple[tuple[str, ...], ...]:
    modality = "multimodal" if sample.has_image else "text"
    kind, category = f"type {sample.type}", f"category {sample.category}"
    return ((), (kind,), (modality,), (category,), (kind, modality, category))


def _check(ratios: Sequence[float]) -> None:
    if len(ratios) != len(SPLITS) or min(ratios) < 0 or abs(sum(ratios) - 1) > 1e-6:
        raise ConfigError(
            f"dataset.train_split, val_split and test_split are {tuple(ratios)!r}; each must be at "
            "least 0 and their sum 1."
        )


def deviations(
    samples: Sequence[Sample], ratios: tuple[float, float, float]
) -> list[dict[str, str | int | float]]:
    """By split and type x modality x category: how many were asked for, and how many there are."""
    total: dict[tuple[str, str, str], int] = {}
    held: dict[tuple[str, tuple[str, str, str]], int] = {}
    for sample in samples:
        cell = (sample.type, "multimodal" if sample.has_image else "text", sample.category)
        total[cell] = total.get(cell, 0) + 1
        held[sample.split, cell] = held.get((sample.split, cell), 0) + 1
    return [
        {
            "split": split,
            "type": cell[0],
            "modality": cell[1],
            "category": cell[2],
            "asked": round(ratio * count, 3),
            "actual": held.get((split, cell), 0),
        }
        for split, ratio in zip(SPLITS, ratios, strict=True)
        for cell, count in sorted(total.items())
    ]
