"""The Program of the `routing` recipe and of the service: selection, and every generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dspy.programs.program import Program
from synth_dspy.programs.routing.agents import AgentMap
from synth_dspy.programs.routing.generator import ExampleGenerator, QueryWriter
from synth_dspy.programs.routing.profiles import ProfileSelector
from synth_dspy.programs.routing.registry import OPTIMIZER_REGISTRY, Registry

if TYPE_CHECKING:
    from synth_dspy.config.routing import Routing


class RoutingProgram(Program):
    """Its steps are `select_profiles_by_model` and `write_queries`, which all generators share."""

    def __init__(self, routing: Routing, registry: Registry = OPTIMIZER_REGISTRY) -> None:
        super().__init__()
        self.selector = ProfileSelector(routing.profiles, routing.profile_selection)
        self.writer = QueryWriter()
        agents = AgentMap(routing.agents)
        self.generators: dict[str, ExampleGenerator] = {
            name: entry.generator(
                self.writer, agents, queries_per_call=routing.queries_per_call
            )
            for name, entry in registry.items()
        }  # fmt: skip
