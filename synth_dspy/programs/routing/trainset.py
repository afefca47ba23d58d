"""Rows as `dspy.Example`s, and a small router that learns from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dspy

from signatures.routing import RouteQuery
from synth_dspy.programs.module import StepModule
from synth_dspy.programs.routing.registry import OptimizerConfig


def as_trainset(
    rows: Iterable[Mapping[str, Any]], optimizer: OptimizerConfig
) -> list[dspy.Example]:  # fmt: skip
    """One `dspy.Example` a row, its inputs as the optimizer has them.

    Raises:
        pydantic.ValidationError: a row is not of the optimizer's schema.
    """
    schema = optimizer.schema
    return [
        dspy.Example(**schema.model_validate(row).model_dump()).with_inputs(*optimizer.inputs)
        for row in rows
    ]


def as_routing_trainset(
    rows: Iterable[Mapping[str, Any]], agents: Sequence[str], label: str = "chosen_agent"
) -> list[dspy.Example]:
    """Examples for `Router`: query and agents in, the agent out.

    Args:
        agents: `name: description` of each; label: the row's field that names the right one.
    """
    return [
        dspy.Example(query=row["query"], agents=list(agents), agent=row[label]).with_inputs(
            "query", "agents"
        )
        for row in rows
    ]


class Router(StepModule):
    """Sends a query to an agent; any DSPy optimizer can compile it."""

    def __init__(self) -> None:
        super().__init__()
        self.route_query = dspy.Predict(RouteQuery)

    def forward(self, query: str, agents: Sequence[str]) -> dspy.Prediction:
        """`agent`: the name of one of `agents`."""
        return self.route_query(query=query, agents=list(agents))

    async def aforward(self, query: str, agents: Sequence[str]) -> dspy.Prediction:
        """As `forward`."""
        return await self.route_query.acall(query=query, agents=list(agents))


def routed_right(example: dspy.Example, prediction: dspy.Prediction, _trace: Any = None) -> bool:
    """The metric: the agent is the one of the example."""
    return bool(str(prediction.agent).strip() == example.agent)
