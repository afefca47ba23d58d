"""What a content backend is: it draws a sample of its records by one of six strategies.

A backend never makes content up: without one there is an error that says how to start it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, get_args

from synth_dspy.config.routing import Modality, SamplingStrategy

STRATEGIES: tuple[SamplingStrategy, ...] = get_args(SamplingStrategy)
MODALITIES: tuple[Modality, ...] = get_args(Modality)


@dataclass(frozen=True, slots=True)
class Content:
    """One record of a backend.

    Attributes:
        transcript: what is said in it, or its text; "" for a picture.
        created_at: ISO 8601, without a zone; "" when unknown.
        entities: names that the backend knows to occur in it.
        group: what holds the members of one sequence or pair together; "" elsewhere.
    """

    id: str
    modality: Modality
    title: str
    description: str = ""
    transcript: str = ""
    created_at: str = ""
    entities: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """What to sample.

    Attributes:
        size: at most so many records; fewer where there are fewer.
        seed: equal seeds give equal samples of equal content.
        recency_days: `temporal_recent` goes back so many days from the newest record, not from
            today: a sample does not change by being drawn again later.
    """

    strategy: SamplingStrategy
    size: int
    tenant: str = "default"
    seed: int = 0
    recency_days: int = 90


class ContentBackend(Protocol):
    """Holds records, and may be asked from several threads at once.

    Attributes:
        name: `duckdb` or `vespa`; described: what it holds, for people and `metadata`.
        fixed: its content cannot change while it is open.
    """

    @property
    def name(self) -> str: ...
    @property
    def described(self) -> str: ...
    @property
    def fixed(self) -> bool: ...

    def sample(self, order: SampleOrder) -> list[Content]:
        """Records by a strategy, in its order, the same for the same order and content.

        Raises:
            BackendError: it does not answer. BackendSlowError: not in time.
        """
        ...

    def version(self) -> str:
        """What changes with the content; part of the key of what was made from it.

        Raises:
            BackendError, BackendSlowError: as `sample`.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
