"""Optimizers that write instructions, against a model whose replies depend on its instructions.

The loopback server classifies rightly only where the instructions tell it what to look at, and it
writes such instructions itself when it is asked for better ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth_dspy.errors import BudgetExceededError, EndpointError
from synth_dspy.optimize.purse import CompileBudget
from tests.loopback import Loopback, Prompt, Reply
from tests.optimize.made import WORDS, compiled, gold, in_use

BETTER = "Look at the nouns of the question, and choose the category that knows them."


def reads_its_instructions(prompt: Prompt) -> Any:
    """Right with the better instructions, else always `data`; asked for some, it writes them."""
    messages = prompt.body["messages"]
    for name in ("proposed_instruction", "new_instruction"):
        if name in prompt.asked:
            return {name: BETTER}
    if BETTER not in messages[0]["content"]:
        return {"category": "data"}
    words = set(prompt.given.get("question", "").replace(",", "").split())
    return {"category": "network" if words & set(WORDS["network"]) else "data"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "demos"), [("mipro", 0), ("mipro", 4), ("gepa", 4)])
def test_better_instructions_are_found_and_promoted(name: str, demos: int, tmp_path: Path) -> None:
    with Loopback(reads_its_instructions) as server:
        done = compiled(tmp_path, name, url=server.url, of=gold(8, 8, 40), demos=demos)
    assert done.baseline.heldout.mean == 0.5
    assert done.interval.low > 0
    assert BETTER in done.artefact.state["classify_sample"]["signature"]["instructions"]
    assert in_use(tmp_path) == done.artefact.sha256
    assert done.calls == server.count


@pytest.mark.slow
def test_a_stopped_search_for_instructions_pays_for_the_rest_only(tmp_path: Path) -> None:
    with Loopback(reads_its_instructions) as server:
        with pytest.raises(BudgetExceededError):
            compiled(tmp_path, "mipro", url=server.url, demos=0, budget=CompileBudget(70))
        first = compiled(tmp_path, "mipro", url=server.url, demos=0)
        assert first.calls == server.count - 70
    with Loopback(reads_its_instructions) as other:
        whole = compiled(tmp_path / "whole", "mipro", url=other.url, demos=0)
    assert whole.artefact.sha256 == first.artefact.sha256


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mipro", "gepa"])
def test_an_endpoint_that_dies_while_it_writes_instructions_ends_it(
    name: str, tmp_path: Path
) -> None:
    with Loopback() as server:

        def dying(prompt: Prompt) -> Any:
            asked = {"proposed_instruction", "new_instruction"} & prompt.asked.keys()
            server.dead = server.dead or bool(asked)
            return Reply("", status=503) if server.dead else reads_its_instructions(prompt)

        server.answer = dying
        with pytest.raises(EndpointError):
            compiled(tmp_path, name, url=server.url, of=gold(8, 8, 40), demos=0)
    assert in_use(tmp_path) == ""
