"""Many records against a server that misbehaves: none lost, none twice, and not much slower."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import dspy
import pytest

from synth_dspy.errors import RecordError
from tests.lm.conftest import Ask, endpoint
from tests.loopback import Loopback, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.lm.replies import ReplyStore


def echo(prompt: Prompt) -> dict[str, str]:
    """The answer names the question's record, so that a mix-up would be seen."""
    return {"answer": f"About {prompt.given['question'].split()[0]}."}


def run(
    make_models: Callable[..., Any],
    server: Loopback,
    records: int,
    *,
    concurrency: int = 32,
    **settings: Any,
) -> Counter[str]:
    """How the records ended."""

    async def main() -> Counter[str]:
        async with make_models(endpoint(server.url, **settings), concurrency=concurrency) as models:
            step, lm = dspy.Predict(Ask), models.lm("answer")
            numbers = iter(range(records))

            async def worker() -> None:
                for number in numbers:
                    try:
                        result = await step.acall(question=f"R{number} is what?", lm=lm)
                    except RecordError as error:
                        ends[error.reason] += 1
                    else:
                        ends["ok" if result.answer == f"About R{number}." else "mixed up"] += 1

            ends: Counter[str] = Counter()
            await asyncio.gather(*(worker() for _ in range(concurrency * 2)))
            return ends

    return asyncio.run(main())


def test_every_record_is_accounted_for_under_every_fault_at_once(
    make_models: Callable[..., Any], store: ReplyStore
) -> None:
    faults = {
        "429": 0.05, "500": 0.03, "malformed": 0.02, "truncated": 0.02, "disconnect": 0.02,
        "cutbody": 0.02, "halfbody": 0.02, "hang": 0.01,
    }  # fmt: skip
    with Loopback(echo, faults=faults, seed=7, hang_s=30) as server:
        ends = run(make_models, server, 300, timeout=1.0, max_retries=5)
    assert set(server.dealt) == set(faults)
    assert ends == {"ok": 300}
    assert store.totals().calls == 300 + server.dealt["malformed"] + server.dealt["truncated"]


def test_records_that_cannot_be_served_fail_with_a_reason_each(
    make_models: Callable[..., Any],
) -> None:
    with Loopback(echo, faults={"malformed": 0.6, "500": 0.2}, seed=3) as server:
        ends = run(make_models, server, 60, max_retries=1)
    assert sum(ends.values()) == 60
    assert set(ends) == {"ok", "unparseable_reply", "server_error"}


@pytest.mark.slow
def test_of_two_thousand_records_none_is_lost_and_none_is_asked_twice(
    make_models: Callable[..., Any], store: ReplyStore
) -> None:
    # How long it takes beside a server without faults is measured by `make bench`.
    faults = {"429": 0.05, "500": 0.03, "malformed": 0.02}
    with Loopback(echo, latency_s=0.2, faults=faults, seed=1, retry_after_s=1.0) as server:
        ends = run(make_models, server, 2000, concurrency=64, retry_delay=1.0)
    assert ends == {"ok": 2000}
    assert server.count == 2000 + server.dealt.total()
    assert store.totals().calls == 2000 + server.dealt["malformed"]
