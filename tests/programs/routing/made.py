"""Parts for tests of routing: the shipped content, the default agents, the offline model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synth_dspy.config import Config
from synth_dspy.config.routing import Backend, Routing
from synth_dspy.programs.routing.agents import AgentMap
from synth_dspy.programs.routing.generator import Made
from synth_dspy.programs.routing.program import RoutingProgram
from synth_dspy.programs.routing.registry import OPTIMIZER_REGISTRY, Registry
from synth_dspy.recipes.resources import Resources
from synth_dspy.sources.backends import Content, SampleOrder, open_backend

AGENTS = AgentMap(Routing().agents)


def contents(strategy: Any = "diverse", size: int = 100) -> list[Content]:
    """A sample of the shipped records."""
    backend = open_backend(Backend())
    try:
        return backend.sample(SampleOrder(strategy, size))
    finally:
        backend.close()


@contextmanager
def program(
    run_dir: Path, registry: Registry = OPTIMIZER_REGISTRY, **settings: Any
) -> Iterator[RoutingProgram]:
    """The Program on the models of `settings` (keys of the configuration); offline without."""
    config = Config.model_validate(
        {"recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(run_dir), **settings}
    )
    resources = Resources(config, lambda _line: None, trace=False)
    made = RoutingProgram(config.routing, registry)
    resources.bind(made)
    try:
        yield made
    finally:
        resources.replies.close()


async def made_by(program: RoutingProgram, name: str, count: int, **more: Any) -> Made:
    """Examples of one optimizer."""
    given = {"contents": contents(), "seed": 1, **more}
    made: Made = (await program.generators[name].acall(count=count, **given)).made
    return made
