"""JSON by schema, where the server has it; marked fields where it has not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

import dspy
import pytest

from synth_dspy.errors import ReplyError
from synth_dspy.lm.structured import response_format
from tests.lm.conftest import endpoint
from tests.loopback import Loopback, Prompt, Reply

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(dspy.Signature):
    """Judge the text."""

    text: str = dspy.InputField()
    verdict: Literal["good", "bad"] = dspy.OutputField()
    certain: bool = dspy.OutputField()


def ask(make_models: Callable[..., Any], server: Loopback, times: int = 1) -> list[Any]:
    async def main() -> list[Any]:
        async with make_models(endpoint(server.url, structured_output=True)) as models:
            step, lm = dspy.Predict(Verdict), models.lm("answer")
            calls = (step.acall(lm=lm, text=f"A text {number}.") for number in range(times))
            return await asyncio.gather(*calls)

    return asyncio.run(main())


def test_the_server_is_given_a_strict_schema_and_its_json_is_read(
    make_models: Callable[..., Any],
) -> None:
    with Loopback(lambda _: '{"verdict": "bad", "certain": true}') as server:
        (found,) = ask(make_models, server)
    assert (found.verdict, found.certain) == ("bad", True)
    given = server.bodies[0]["response_format"]
    assert given["type"] == "json_schema"
    assert given["json_schema"]["strict"] is True
    assert given["json_schema"]["schema"] == response_format(Verdict)["schema"]
    schema = given["json_schema"]["schema"]
    assert schema["required"] == ["verdict", "certain"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["verdict"]["enum"] == ["good", "bad"]
    prompt = json.dumps(server.bodies[0]["messages"])
    assert "JSON object" in prompt
    assert "[[ ## completed ## ]]" not in prompt


def test_a_server_that_ignores_the_schema_is_understood(make_models: Callable[..., Any]) -> None:
    text = "[[ ## verdict ## ]]\ngood\n\n[[ ## certain ## ]]\nFalse\n\n[[ ## completed ## ]]"
    with Loopback(lambda _: text) as server:
        (found,) = ask(make_models, server)
    assert (found.verdict, found.certain) == ("good", False)
    assert server.count == 1


def test_a_server_that_refuses_the_schema_is_asked_without_and_remembered(
    make_models: Callable[..., Any],
) -> None:
    def answer(prompt: Prompt) -> Any:
        if "response_format" in prompt.body:
            return Reply('{"error": {"message": "response_format is not known"}}', status=400)
        return {"verdict": "good", "certain": "True"}

    with Loopback(answer) as server:
        found = ask(make_models, server, times=20)
        assert [f.verdict for f in found] == ["good"] * 20
        asked = sum("response_format" in body for body in server.bodies)
        assert asked <= 20
        assert server.count == asked + 20


def test_a_json_reply_without_a_field_is_asked_for_again(make_models: Callable[..., Any]) -> None:
    replies = iter(['{"verdict": "bad"}', '{"verdict": "bad", "certain": false}'])
    with Loopback(lambda _: next(replies)) as server:
        (found,) = ask(make_models, server)
        assert found.certain is False
        assert "`certain`" in json.dumps(server.bodies[1]["messages"][-1])


def test_a_json_reply_that_was_cut_off_is_known_as_such(make_models: Callable[..., Any]) -> None:
    cut = Reply('{"verdict": "bad", "certain": true', finish_reason="length")
    with Loopback(lambda _: cut) as server, pytest.raises(ReplyError, match="truncated_reply"):
        ask(make_models, server)
