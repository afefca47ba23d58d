"""What is written down of a call, and what is counted."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import dspy
import PIL.Image
import pytest

from synth_dspy.errors import EndpointError
from synth_dspy.lm.meter import Meter, current, metered, scope, trace_scope
from tests.lm.conftest import KEY, Ask, endpoint
from tests.lm.test_path import Describe
from tests.loopback import Loopback, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    text = (tmp_path / "traces" / "conversations.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def ask(make_models: Callable[..., Any], server: Loopback, **settings: Any) -> None:
    async def main() -> None:
        async with make_models(endpoint(server.url, **settings)) as models:
            await dspy.Predict(Ask).acall(question="Up?", lm=models.lm("answer"))

    asyncio.run(main())


def test_a_trace_says_what_was_asked_for_whom_and_what_it_took(
    loopback: Loopback, make_models: Callable[..., Any], tmp_path: Path
) -> None:
    with trace_scope(stage="answer", record="r1"):
        ask(make_models, loopback)
    (line,) = lines(tmp_path)
    assert (line["stage"], line["record"], line["step"]) == ("answer", "r1", "Ask")
    assert (line["endpoint"], line["model"]) == ("answer", "test-model")
    assert [m["role"] for m in line["messages"]] == ["system", "user"]
    assert "Some answer." in line["reply"]
    assert (line["input_tokens"], line["output_tokens"], line["tries"]) == (100, 20, 1)
    assert line["latency_ms"] > 0
    assert not line["replayed"]


def test_a_replayed_call_is_traced_as_such(
    loopback: Loopback, make_models: Callable[..., Any], tmp_path: Path
) -> None:
    ask(make_models, loopback)
    ask(make_models, loopback)
    assert [line["replayed"] for line in lines(tmp_path)] == [False, True]
    assert lines(tmp_path)[1]["tries"] == 0


def test_a_failed_call_is_traced_with_its_error(
    make_models: Callable[..., Any], tmp_path: Path
) -> None:
    broken = Reply("{}", status=500)
    with Loopback(lambda prompt: broken) as server, pytest.raises(EndpointError):
        ask(make_models, server, max_retries=1)
    (line,) = lines(tmp_path)
    assert line["error"].startswith("server_error")
    assert line["tries"] == 2


def test_no_file_of_a_run_holds_the_key(
    loopback: Loopback, make_models: Callable[..., Any], tmp_path: Path
) -> None:
    ask(make_models, loopback)
    assert loopback.authorizations == [f"Bearer {KEY}"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_an_image_is_traced_as_its_hash(
    loopback: Loopback, make_models: Callable[..., Any], tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (4, 4), "red").save(buffer, "PNG")
    image = dspy.Image(buffer.getvalue())

    async def main() -> None:
        async with make_models(endpoint(loopback.url)) as models:
            step = dspy.Predict(Describe)
            await step.acall(context="c", image=image, lm=models.lm("answer"))

    asyncio.run(main())
    from tests.loopback import read_prompt

    (sent,) = read_prompt(loopback.bodies[0]).images
    shown = lines(tmp_path)[0]["messages"][1]["content"][1]
    assert shown == {"image": hashlib.sha256(sent).hexdigest(), "mime": "image/png"}


def test_tasks_and_threads_of_a_block_count_into_its_meter() -> None:
    def count() -> None:
        meter = current.get()
        assert meter is not None
        meter.calls += 1

    async def task() -> None:
        count()
        await asyncio.to_thread(count)

    async def main() -> int:
        with metered() as meter:
            await asyncio.gather(task(), task())
        return meter.calls

    assert asyncio.run(main()) == 4


def test_an_inner_meter_adds_to_the_outer_one() -> None:
    with metered() as outer:
        with metered() as inner:
            inner.add(Meter(calls=2, cost_usd=0.5))
        inner.calls += 1  # after its end: no longer the outer's business
    assert (outer.calls, outer.cost_usd) == (2, 0.5)


def test_scopes_nest_and_end() -> None:
    with trace_scope(stage="plan"):
        with trace_scope(record="r", sample=2):
            inner = scope()
        assert (scope().stage, scope().record) == ("plan", "")
    assert (inner.stage, inner.record, inner.sample) == ("plan", "r", 2)
    assert scope().stage == ""
