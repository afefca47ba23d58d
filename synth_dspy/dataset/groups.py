"""What must not be divided between splits: samples that share a source passage, image or wording.

Samples enter, their group leaves. It knows nothing of splits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dspy.dataset.dedup import dedup_text
from synth_dspy.dataset.near_batch import near_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from synth_dspy.records import Sample

NEAR = 0.7
"""Similarity that binds two samples to one split; lower than what dedup removes, on purpose."""


def groups(
    samples: Sequence[Sample],
    *,
    extra_groups: Mapping[str, str],
    near_threshold: float = NEAR,
) -> list[list[int]]:
    """Indices of `samples` by group, each ascending, groups by their first index.

    Two samples are in one group when a chain of these joins them: the same chunk, the same span of
    the same file, the same image, the same extra group (by sample id), or texts at least
    `near_threshold` alike.
    """
    union = _Union(len(samples))
    first: dict[tuple[str, ...], int] = {}
    for index, sample in enumerate(samples):
        for key in _keys(sample, extra_groups):
            union.join(first.setdefault(key, index), index)
    texts = [dedup_text(sample) for sample in samples]
    for i, j in near_links(texts, near_threshold, known=union.joined):
        union.join(i, j)
    return union.members()


def image_key(sample: Sample) -> str:
    """What names the sample's image wherever it is used: its hash, else its path, else ""."""
    image = sample.metadata.get("image")
    sha = image.get("sha256") if isinstance(image, dict) else None
    return str(sha or sample.image)


def _keys(sample: Sample, extra_groups: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    if sample.chunk_id:
        yield ("chunk", sample.chunk_id)
    if image := image_key(sample):
        yield ("image", image)
    if extra := extra_groups.get(sample.id):
        yield ("extra", extra)
    source = sample.metadata.get("source")
    if isinstance(source, dict) and source.get("sha256") and source.get("span"):
        yield ("span", str(source["sha256"]), *(str(end) for end in source["span"]))


class _Union:
    """Union-find with path halving; the lowest index names a group."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, index: int) -> int:
        parent = self._parent
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    def joined(self, a: int, b: int) -> bool:
        return self.find(a) == self.find(b)

    def join(self, a: int, b: int) -> None:
        low, high = sorted((self.find(a), self.find(b)))
        self._parent[high] = low

    def members(self) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for index in range(len(self._parent)):
            found.setdefault(self.find(index), []).append(index)
        return list(found.values())


def leaks(samples: Iterable[Sample]) -> list[str]:
    """Chunks, spans and images in more than one split, each as `kind value: splits`; [] is good."""
    seen: dict[tuple[str, ...], set[str]] = {}
    for sample in samples:
        for key in _keys(sample, {}):
            seen.setdefault(key, set()).add(sample.split)
    return [
        f"{' '.join(key)}: {', '.join(sorted(splits))}"
        for key, splits in sorted(seen.items())
        if len(splits) > 1
    ]
