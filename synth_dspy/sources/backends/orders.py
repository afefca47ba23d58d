"""Several strategies for one sample: the size divided among them, their records put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from synth_dspy.config.routing import SamplingStrategy
from synth_dspy.sources.backends.contract import Content, SampleOrder


def sample_orders(
    strategies: Sequence[SamplingStrategy], *, size: int, tenant: str, seed: int, recency_days: int
) -> list[SampleOrder]:
    """An order a strategy, named once or more; their sizes sum to `size`, as equal as can be."""
    names = list(dict.fromkeys(strategies))[:size]
    share, rest = divmod(size, len(names))
    return [
        SampleOrder(name, share + (place < rest), tenant, seed, recency_days)
        for place, name in enumerate(names)
    ]


def merged(samples: Iterable[Sequence[Content]]) -> list[Content]:
    """The records of all samples, each once, where it came first."""
    found: dict[str, Content] = {}
    for sample in samples:
        for content in sample:
            found.setdefault(content.id, content)
    return list(found.values())
