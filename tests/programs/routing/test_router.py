"""Examples as a trainset: a router that learns from them routes better than one that did not."""

from __future__ import annotations

from pathlib import Path

import dspy
import pytest

from synth_dspy.programs.routing.registry import OPTIMIZER_REGISTRY
from synth_dspy.programs.routing.trainset import (
    Router,
    as_routing_trainset,
    as_trainset,
    routed_right,
)
from tests.programs.routing.made import AGENTS, contents, made_by, program

pytestmark = pytest.mark.anyio

LISTED = [f"{name}: {agent.description}" for name, agent in AGENTS.agents.items()]


async def test_rows_become_examples_with_the_query_as_input(tmp_path: Path) -> None:
    with program(tmp_path) as made:
        for name, entry in OPTIMIZER_REGISTRY.items():
            rows = (await made_by(made, name, 3)).rows
            (example, *_) = as_trainset(rows, entry)
            assert isinstance(example, dspy.Example)
            assert example.inputs().keys() == ["query"]
            assert entry.schema(**example.toDict()).model_dump() == example.toDict()


def accuracy(router: dspy.Module, examples: list[dspy.Example]) -> float:
    """Share of the examples that are routed right."""
    right = [routed_right(e, router(**e.inputs())) for e in examples]
    return sum(right) / len(right)


async def test_a_router_trained_with_bootstrap_beats_the_untrained_one(tmp_path: Path) -> None:
    records = contents()
    with program(tmp_path) as made:
        trained_on = (await made_by(made, "routing", 96, contents=records[::2])).rows
        held_out = (await made_by(made, "routing", 90, contents=records[1::2])).rows
        lm = made.writer.write_queries.lm
        train = as_routing_trainset(trained_on, LISTED)
        test = as_routing_trainset(held_out, LISTED)
        with dspy.context(lm=lm):
            untrained = accuracy(Router(), test)
            optimizer = dspy.BootstrapFewShot(
                metric=routed_right, max_bootstrapped_demos=16, max_labeled_demos=64
            )
            router = optimizer.compile(Router(), trainset=train)
            trained = accuracy(router, test)
    assert trained >= untrained + 0.15, (untrained, trained)
