"""The second look at a question: what it betters is taken, what it breaks is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from synth_dspy.lm.offline.fields import Ask
from synth_dspy.lm.offline.skills import refine_question
from synth_dspy.outcomes import Kept
from synth_dspy.records import Candidate
from tests.loopback import Loopback
from tests.programs.made import chunk, program, task

STUB = 'def depth(tips):\n    """Depth of rain, in millimetres."""\n    pass\n'
TEST = "def check(candidate):\n    assert candidate(1) == 0.2\n    assert candidate(2) == 0.4\n"


def written(folder: Path, kind: str, fields: dict[str, Any], *, refine: bool = True) -> Candidate:
    async def main() -> Candidate:
        with Loopback(lambda _: {"test_code": TEST, **fields}) as server:
            async with program(folder, server, refine=refine) as made:
                reply = await made.question_writer.acall(task=task(kind), chunk=chunk())
                assert isinstance(reply.outcome, Kept), reply.outcome
                result: Candidate = reply.outcome.outputs[0]
                return result

    return asyncio.run(main())


def test_a_better_question_takes_the_place_of_the_first(tmp_path: Path) -> None:
    fields = {"question": "What is it?", "refined_question": "What is a tipping bucket?"}
    found = written(tmp_path, "qa", fields)
    assert found.question == "What is a tipping bucket?"
    assert found.steps["refine_question"].attempts == 1


def test_it_is_not_asked_where_it_is_switched_off(tmp_path: Path) -> None:
    fields = {"question": "What is it?", "refined_question": "What is a tipping bucket?"}
    found = written(tmp_path, "qa", fields, refine=False)
    assert found.question == "What is it?"
    assert "refine_question" not in found.steps


def test_a_stub_that_was_broken_by_it_stays_as_it_was(tmp_path: Path) -> None:
    fields = {"stub": STUB, "entry_point": "depth", "refined_question": "Write depth()."}
    assert written(tmp_path, "function_completion", fields).question == STUB


def test_a_stub_in_a_fence_is_taken_out_of_it(tmp_path: Path) -> None:
    better = STUB.replace("Depth of rain", "Depth of rain of a number of tips")
    fields = {"stub": STUB, "entry_point": "depth", "refined_question": f"```python\n{better}```"}
    assert written(tmp_path, "function_completion", fields).question == better


def test_an_order_that_no_longer_names_its_function_stays_as_it_was(tmp_path: Path) -> None:
    order = "Write a function `depth(tips)` that returns millimetres."
    fields = {"task": order, "entry_point": "depth", "refined_question": "Write a function."}
    assert written(tmp_path, "code_generation", fields).question == order


def test_the_offline_model_gives_a_question_back_as_it_is() -> None:
    asked = Ask({"question": "What is a tipping bucket?"}, ("refined_question",))
    assert refine_question(asked) == {"refined_question": "What is a tipping bucket?"}
