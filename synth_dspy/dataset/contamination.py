"""The contamination report: against what a dataset was checked, every hit, what was dropped.

Benchmarks and the hits in passages of the sources and in samples enter, one JSON object leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.dataset.benchmarks import Benchmarks
    from synth_dspy.dataset.decontaminate import Hit


@dataclass(frozen=True, slots=True)
class Found:
    """A hit in a passage or sample, and where that comes from.

    Attributes:
        where: path of the document; excerpt: how the text begins, for a person.
    """

    hit: Hit
    where: str
    excerpt: str


def contamination_report(
    benchmarks: Benchmarks, *, passages: Sequence[Found], samples: Sequence[Found], checked: int
) -> dict[str, Any]:
    """The object of `contamination.json`.

    Args:
        passages: hits in passages that were dropped; samples: in samples that were dropped.
        checked: finished samples that were compared.
    """
    found = {(f.hit.benchmark, f.hit.item) for f in (*passages, *samples)}
    return {
        "benchmarks": [
            {
                "name": name,
                "items": len(items),
                "found": sum(benchmark == name for benchmark, _ in found),
                "dropped_passages": _different(passages, name),
                "dropped_samples": _different(samples, name),
            }
            for name, items in benchmarks.items.items()
        ],
        "items_found": len(found),
        "dropped_passages": len({f.hit.sample_id for f in passages}),
        "dropped_samples": len({f.hit.sample_id for f in samples}),
        "checked_samples": checked,
        "passages": [_line(f, "passage") for f in passages],
        "samples": [_line(f, "sample") for f in samples],
    }


def _different(found: Sequence[Found], benchmark: str) -> int:
    return len({f.hit.sample_id for f in found if f.hit.benchmark == benchmark})


def _line(found: Found, kind: str) -> Mapping[str, Any]:
    hit = found.hit
    return {
        kind: hit.sample_id, "source": found.where, "benchmark": hit.benchmark, "item": hit.item,
        "layer": hit.layer, "overlap": hit.overlap, "excerpt": found.excerpt,
    }  # fmt: skip
