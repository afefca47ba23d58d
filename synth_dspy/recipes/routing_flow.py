"""A run of the `routing` recipe: stage after stage, and whether it is short of its count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from synth_dspy.config import Config
from synth_dspy.dataset.split import SPLITS
from synth_dspy.programs.routing.agents import AgentMap
from synth_dspy.programs.routing.records import Example
from synth_dspy.programs.routing.registry import get_optimizer_config
from synth_dspy.recipes.flow import Ending, LinearFlow, Shortage
from synth_dspy.recipes.programs import check_prompts
from synth_dspy.recipes.routing import STAGES, first_draw, routing_stages
from synth_dspy.sources.backends import ContentBackend, open_backend
from synth_dspy.stages.contract import Stage


class RoutingFlow(LinearFlow):
    """Content in, examples out."""

    stages: ClassVar[tuple[type[Stage], ...]] = STAGES
    finishing: ClassVar[tuple[type[Stage], ...]] = STAGES[-1:]
    records: ClassVar[str] = "examples"

    @classmethod
    def check(cls, config: Config, stages: Sequence[type[Stage]]) -> None:
        """A wrong optimizer, and agents that search nothing, are said before all else."""
        del stages
        check_prompts(config)
        get_optimizer_config(config.routing.optimizer)
        agents = AgentMap(config.routing.agents)
        if not agents.searched():
            agents.searching("VIDEO")

    @classmethod
    def outline(cls, config: Config) -> Iterable[str]:
        """What is sampled and made."""
        routing = config.routing
        optimizer = get_optimizer_config(routing.optimizer)
        strategies = routing.strategies or (optimizer.strategy,)
        yield f"wanted      {routing.count:>5} {optimizer.name} ({optimizer.schema.__name__})"
        yield f"content     {routing.backend.kind}, {routing.sample_size} records by " + ", ".join(
            strategies
        )

    @classmethod
    def for_trial(cls, config: Config, samples: int) -> Config:
        """A small count."""
        routing = config.routing
        small = routing.model_copy(update={"count": min(routing.count, samples)})
        return config.model_copy(update={"routing": small})

    @cached_property
    def backend(self) -> ContentBackend:
        """The content, open.

        Raises:
            BackendError: it is not there.
        """
        return open_backend(self.config.routing.backend)

    @cached_property
    def wired(self) -> tuple[Stage, ...]:
        """Its stages."""
        return routing_stages(self.resources, self.backend)

    def inputs(self) -> Sequence[Any]:
        """The one draw."""
        return [first_draw(self.resources, self.backend)]

    def ending(self, records: list[Any]) -> Ending:
        """Short when fewer examples were made than asked for."""
        asked = self.config.routing.count
        if len(records) >= asked:
            return Ending(records)
        cell = (self.config.routing.optimizer,)
        reasons = Counter({"the sampled content bears no other query": asked - len(records)})
        return Ending(records, [Shortage(cell, asked, len(records), reasons, len(records))])

    def conclusion(self, ending: Ending) -> Iterable[str]:
        """What the dataset is made of."""
        examples: list[Example] = ending.records
        labels = Counter(one.label for one in examples)
        splits = Counter(one.split for one in examples)
        by = Counter(one.query_by for one in examples)
        return [
            f"{len(examples)} examples for {self.config.routing.optimizer}: "
            + ", ".join(f"{n} {label}" for label, n in sorted(labels.items())),
            ", ".join(f"{split} {splits[split]}" for split in SPLITS),
            (
                f"queries by the model {by['model']}, by rules {by['rules']}; every number is "
                "derived by rule, none was measured"
            ),
        ]

    def close(self) -> None:
        """Close the backend."""
        if "backend" in vars(self):
            self.backend.close()
