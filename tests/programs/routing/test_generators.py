"""What holds for the examples of every optimizer, whoever writes the queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.config.routing import Agent
from synth_dspy.programs.routing.agents import AgentMap
from synth_dspy.programs.routing.patterns import patterns_of
from synth_dspy.programs.routing.registry import (
    OPTIMIZER_REGISTRY,
    OptimizerConfig,
    UnknownOptimizerError,
    get_optimizer_config,
)
from synth_dspy.programs.routing.routing import RoutingGenerator
from tests.loopback import Loopback, Prompt
from tests.programs.routing.made import AGENTS, contents, made_by, program

pytestmark = pytest.mark.anyio

EVERY = tuple(OPTIMIZER_REGISTRY)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("count", [1, 7, 150])
async def test_the_count_is_exact_and_queries_are_unique(
    tmp_path: Path, name: str, count: int
) -> None:
    with program(tmp_path) as made:
        rows = (await made_by(made, name, count)).rows
    assert len(rows) == len({row["query"].lower() for row in rows}) == count


@pytest.mark.parametrize("name", EVERY)
async def test_rows_are_of_the_schema_and_say_that_they_are_synthetic(
    tmp_path: Path, name: str
) -> None:
    schema = OPTIMIZER_REGISTRY[name].schema
    with program(tmp_path) as made:
        rows = (await made_by(made, name, 30)).rows
    for row in rows:
        assert schema.model_validate(row).model_dump(mode="json") == row
        told = json.dumps(row)
        assert name == "cross_modal" or "derived by rule, not measured" in told


@pytest.mark.parametrize("name", EVERY)
async def test_labels_are_balanced(tmp_path: Path, name: str) -> None:
    with program(tmp_path) as made:
        labels = (await made_by(made, name, 120)).labels
    assert len(labels) > 1
    assert max(labels.values()) - min(labels.values()) <= 1


@pytest.mark.parametrize("name", EVERY)
async def test_equal_seeds_make_equal_rows(tmp_path: Path, name: str) -> None:
    with program(tmp_path) as made:
        once = await made_by(made, name, 25, seed=9)
        assert (await made_by(made, name, 25, seed=9)) == once
        assert (await made_by(made, name, 25, seed=10)).rows != once.rows


@pytest.mark.parametrize("name", EVERY)
async def test_ten_thousand_examples_come_of_the_shipped_content(tmp_path: Path, name: str) -> None:
    with program(tmp_path) as made:
        rows = (await made_by(made, name, 10_000)).rows
    assert len({row["query"].lower() for row in rows}) == 10_000


async def test_content_that_bears_fewer_gives_fewer(tmp_path: Path) -> None:
    few = contents()[:1]
    with program(tmp_path) as made:
        found = await made_by(made, "modality", 10_000, contents=few)
    assert 0 < len(found.rows) < 10_000 == found.asked


async def test_entities_occur_in_the_query_and_relations_are_among_them(tmp_path: Path) -> None:
    with program(tmp_path) as made:
        rows = (await made_by(made, "routing", 200)).rows
    assert any(row["relationships"] for row in rows)
    for row in rows:
        names = {entity["text"] for entity in row["entities"]}
        assert names
        assert all(name in row["query"] for name in names)
        assert all({r["source"], r["target"]} <= names for r in row["relationships"])
        assert all(f"{e['text']} ({e['type']})" in row["enhanced_query"] for e in row["entities"])


async def test_agents_are_those_of_the_map(tmp_path: Path) -> None:
    with program(tmp_path) as made:
        modality = (await made_by(made, "modality", 40)).rows
        routing = (await made_by(made, "routing", 40)).rows
        workflow = (await made_by(made, "workflow", 40)).rows
    assert {row["correct_agent"] for row in modality} <= set(AGENTS.agents)
    assert {row["chosen_agent"] for row in routing} == set(AGENTS.agents)
    assert all(AGENTS.works(row["agent_sequence"]) for row in workflow)


async def test_agents_of_the_users_own_are_routed_to(tmp_path: Path) -> None:
    agents = {"finder": {"description": "Finds.", "modalities": ["DOCUMENT", "AUDIO"]}}
    with program(tmp_path, routing={"agents": agents}) as made:
        rows = (await made_by(made, "routing", 20)).rows
    assert {row["chosen_agent"] for row in rows} == {"finder"}


async def test_pairs_of_modalities_name_what_both_records_name(tmp_path: Path) -> None:
    by_id = {content.id: content for content in contents()}
    with program(tmp_path) as made:
        generator = made.generators["cross_modal"]
        seeds = [s for pool in generator.pools(list(by_id.values())).values() for s in pool]
        rows = (await made_by(made, "cross_modal", 60)).rows
    for seed in seeds:
        one, other = map(patterns_of, seed.contents)
        assert set(one.entities) & set(other.entities)
    assert all(row["primary_modality"] != row["secondary_modality"] for row in rows)


async def test_one_call_writes_all_queries_of_a_request(tmp_path: Path) -> None:
    with Loopback(answer=_obedient) as server:
        models = {"endpoints": [{"name": "m", "model_name": "m", "base_url": server.url}]}
        with program(tmp_path, models=models) as made:
            found = await made_by(made, "routing", 60)
        assert server.count == 1
    assert found.queries_by == {"model": 60}
    assert all(row["query"].startswith("Tell me of ") for row in found.rows)


async def test_a_reply_that_does_not_keep_to_its_orders_gives_way_to_rules(
    tmp_path: Path,
) -> None:
    def careless(prompt: Prompt) -> dict[str, Any]:
        queries = _obedient(prompt)["queries"]
        # Without its names, on two lines, empty, twice the same, and some missing at the end.
        return {"queries": ["no name", "a\nb", "", queries[3], queries[3], *queries[5:8]]}

    with Loopback(answer=careless) as server:
        models = {"endpoints": [{"name": "m", "model_name": "m", "base_url": server.url}]}
        with program(tmp_path, models=models) as made:
            found = await made_by(made, "routing", 12)
    assert found.queries_by == {"model": 4, "rules": 8}
    assert len({row["query"].lower() for row in found.rows}) == 12
    assert all(e["text"] in row["query"] for row in found.rows for e in row["entities"])


def _obedient(prompt: Prompt) -> dict[str, Any]:
    briefs = json.loads(prompt.given["briefs"])
    return {
        "queries": [
            " ".join(["Tell me of", b["about"], *b["mention"], b["when"], str(n)])
            for n, b in enumerate(briefs)
        ]
    }


def test_an_unknown_optimizer_lists_those_that_there_are() -> None:
    with pytest.raises(UnknownOptimizerError, match=r"no optimizer 'x'; there are modality, "):
        get_optimizer_config("x")


async def test_an_optimizer_is_one_entry(tmp_path: Path) -> None:
    class Shouted(RoutingGenerator):
        """Routing, in capitals."""

        purpose = "routing what is shouted"

        def row(self, planned: Any, query: str) -> Any:
            return super().row(planned, query.upper())

    entry = OptimizerConfig("shouted", "Routes what is shouted.", Shouted, "diverse")
    with program(tmp_path, {**OPTIMIZER_REGISTRY, "shouted": entry}) as made:
        rows = (await made_by(made, "shouted", 5)).rows
    assert all(row["query"].isupper() for row in rows)


def test_agents_that_only_work_are_asked_for_nothing_but_their_tasks() -> None:
    agents = AgentMap({"v": Agent(description="V.", modalities=("VIDEO",))})
    assert agents.intents() == ("search",)
