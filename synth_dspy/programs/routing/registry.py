"""The optimizers there are. A new one is an entry: its schema, its generator, its strategy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from synth_dspy.config.routing import SamplingStrategy
from synth_dspy.errors import UserError
from synth_dspy.programs.routing.cross_modal import CrossModalGenerator
from synth_dspy.programs.routing.generator import ExampleGenerator
from synth_dspy.programs.routing.modality import ModalityGenerator
from synth_dspy.programs.routing.routing import RoutingGenerator
from synth_dspy.programs.routing.workflow import UnifiedGenerator, WorkflowGenerator


class UnknownOptimizerError(UserError):
    """No optimizer has this name; the text lists those that there are."""


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """An optimizer that examples can be made for.

    Attributes:
        strategy: how content is sampled when a request names no strategy.
        inputs: fields of a row that a program is given; the others are what it learns.
    """

    name: str
    description: str
    generator: type[ExampleGenerator]
    strategy: SamplingStrategy
    inputs: tuple[str, ...] = ("query",)

    @property
    def schema(self) -> type[BaseModel]:
        """Of its rows."""
        return self.generator.schema

    @property
    def defaults(self) -> dict[str, Any]:
        """What a request means when it says nothing."""
        return {
            "count": 100,
            "vespa_sample_size": 200,
            "strategies": [self.strategy],
            "max_profiles": 3,
            "tenant_id": "default",
        }


Registry = Mapping[str, OptimizerConfig]

OPTIMIZER_REGISTRY: Registry = MappingProxyType({
    entry.name: entry
    for entry in (
        OptimizerConfig(
            "modality",
            "Which modality holds a query's answer, and the agent that searches it.",
            ModalityGenerator,
            "by_modality",
        ),
        OptimizerConfig(
            "cross_modal",
            "When and how the findings of two modalities are fused.",
            CrossModalGenerator,
            "cross_modal_pairs",
        ),
        OptimizerConfig(
            "routing",
            "Which agent a query goes to, by its entities and their relations.",
            RoutingGenerator,
            "entity_rich",
        ),
        OptimizerConfig(
            "workflow",
            "Which agents answer a query, in which order.",
            WorkflowGenerator,
            "multi_modal_sequences",
        ),
        OptimizerConfig(
            "unified",
            "Routing and workflow in one decision.",
            UnifiedGenerator,
            "diverse",
        ),
    )
})  # fmt: skip


def get_optimizer_config(name: str, registry: Registry = OPTIMIZER_REGISTRY) -> OptimizerConfig:
    """The entry of an optimizer.

    Raises:
        UnknownOptimizerError: there is none of this name.
    """
    if name not in registry:
        raise UnknownOptimizerError(
            f"There is no optimizer {name!r}; there are {', '.join(registry)}."
        )
    return registry[name]
