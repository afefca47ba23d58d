"""The durable engine over a real socket: replays, retries, refusals, money."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from dspy import lm15

from synth_dspy.errors import (
    BudgetExceededError,
    EndpointError,
    ReplyError,
    SetupError,
    StoreError,
)
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.durable import MAX_RETRY_AFTER_S, DurableEngine, Retry
from synth_dspy.lm.limiter import Limiter
from synth_dspy.lm.meter import metered, trace_scope
from tests.lm.conftest import KEY, Echo, endpoint
from tests.loopback import Loopback, Prompt, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.lm.replies import ReplyStore


def request(text: str = "Hi", **config: Any) -> lm15.Request:
    return lm15.Request(
        model="endpoint:answer",
        messages=(lm15.Message.user(text),),
        config=lm15.Config(**({"max_tokens": 100} | config)),
    )


def fails_first(times: int, fault: Reply) -> Callable[[Prompt], Reply | None]:
    """Answers each body with `fault` so often, then well."""
    return lambda prompt: fault if prompt.attempt < times else None


BUSY = Reply('{"error": {"message": "later"}}', status=429, headers={"retry-after": "0.01"})
BROKEN = Reply('{"error": {"message": "oops"}}', status=500)


def complete(
    make_models: Callable[..., Any],
    server: Loopback,
    *requests: lm15.Request,
    budget: Budget | None = None,
    **settings: Any,
) -> list[Any]:
    """The replies' texts, or the exceptions, one request after the other."""

    async def main() -> list[Any]:
        async with make_models(endpoint(server.url, **settings), budget=budget) as models:
            engine, results = models.engine("answer"), []
            for asked in requests:
                try:
                    results.append((await engine.complete(asked)).text)
                except Exception as error:  # noqa: BLE001
                    results.append(error)
            return results

    return asyncio.run(main())


def test_a_stored_reply_is_not_asked_for_again(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    with metered() as meter:
        first = complete(make_models, loopback, request())
        again = complete(make_models, loopback, request())
    assert first == again
    assert loopback.count == 1
    assert (meter.calls, meter.replayed, meter.attempts) == (1, 1, 1)


@pytest.mark.parametrize("change", [{"seed": 1}, {"temperature": 0.1}, {"max_tokens": 99}])
def test_a_changed_setting_is_another_request(
    loopback: Loopback, make_models: Callable[..., Any], change: dict[str, Any]
) -> None:
    complete(make_models, loopback, request(), request(**change))
    assert loopback.count == 2


def test_another_model_name_is_another_request(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    complete(make_models, loopback, request())
    complete(make_models, loopback, request(), model_name="newer")
    assert loopback.count == 2


def test_another_sample_index_asks_again(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    complete(make_models, loopback, request())
    with trace_scope(sample=1):
        complete(make_models, loopback, request())
    assert loopback.count == 2


@pytest.mark.parametrize("fault", [BUSY, BROKEN])
def test_a_passing_fault_is_ridden_out(make_models: Callable[..., Any], fault: Reply) -> None:
    with Loopback(fails_first(2, fault)) as server, metered() as meter:
        assert complete(make_models, server, request()) == ["A reply."]
    assert (meter.calls, meter.attempts) == (1, 3)


def test_a_lasting_fault_is_a_retryable_error_after_the_configured_attempts(
    make_models: Callable[..., Any],
) -> None:
    with Loopback(fails_first(99, BROKEN)) as server:
        (error,) = complete(make_models, server, request(), max_retries=2)
    assert isinstance(error, EndpointError)
    assert (error.reason, error.retryable, server.count) == ("server_error", True, 3)
    assert "endpoint 'answer' (model 'test-model' at 127.0.0.1)" in str(error)
    assert "oops" in str(error)


def test_being_asked_to_wait_costs_fewer_retries_than_a_fault(
    make_models: Callable[..., Any],
) -> None:
    with Loopback(fails_first(5, BUSY)) as server:
        assert complete(make_models, server, request(), max_retries=2) == ["A reply."]


def test_retry_after_is_waited_for(make_models: Callable[..., Any]) -> None:
    later = Reply("{}", status=429, headers={"retry-after": "0.3"})
    with Loopback(fails_first(1, later)) as server:
        started = time.perf_counter()
        complete(make_models, server, request())
    assert time.perf_counter() - started >= 0.3


def test_retry_after_is_capped() -> None:
    assert Retry().wait_s(0, 86_400.0) <= MAX_RETRY_AFTER_S + 1


def test_the_delay_doubles_up_to_a_minute_and_jitters_downward() -> None:
    retry = Retry(delay_s=1.0)
    for doublings in range(12):
        whole = min(60.0, 2.0**doublings)
        assert whole / 2 <= retry.wait_s(doublings, None) <= whole


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "api_key of models.endpoints"),
        (403, "api_key of models.endpoints"),
        (402, "no credit left"),
        (404, "base_url ends where /chat/completions begins"),
    ],
)
def test_a_refusal_that_no_other_call_would_escape_ends_the_run(
    make_models: Callable[..., Any], status: int, words: str
) -> None:
    said = Reply(f'{{"error": {{"message": "No: {KEY}"}}}}', status=status)
    with Loopback(lambda prompt: said) as server:
        (error,) = complete(make_models, server, request())
    assert isinstance(error, SetupError)
    assert words in str(error)
    assert "'answer'" in str(error)
    assert KEY not in str(error)
    assert server.count == 1


def test_a_key_that_the_server_puts_into_its_reply_is_neither_used_nor_stored(
    make_models: Callable[..., Any], store: ReplyStore
) -> None:
    with Loopback(lambda prompt: f"You sent {KEY}.") as server:
        assert complete(make_models, server, request()) == ["You sent ***."]
    files = store.path.parent.glob("*")
    assert not [path for path in files if path.is_file() and KEY.encode() in path.read_bytes()]


def test_a_key_that_is_a_mere_word_changes_no_reply(make_models: Callable[..., Any]) -> None:
    with Loopback(lambda prompt: "An EMPTY list.") as server:
        found = complete(make_models, server, request(), api_key="EMPTY")
    assert found == ["An EMPTY list."]


def test_the_environment_changes_nothing_that_the_offline_model_says(
    make_models: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "a-text-of-a-document")

    async def main() -> str:
        async with make_models(endpoint(None, api_key="")) as models:
            answer = await models.engine("answer").complete(request("It is a-text-of-a-document."))
            return str(answer.text)

    assert asyncio.run(main()) == "It is a-text-of-a-document."


def test_a_bad_request_fails_its_record_only(make_models: Callable[..., Any]) -> None:
    def answer(prompt: Prompt) -> Reply | None:
        bad = "bad" in prompt.body["messages"][0]["content"]
        return Reply('{"error": {"message": "bad image"}}', status=400) if bad else None

    with Loopback(answer) as server:
        good, bad = complete(make_models, server, request("fine"), request("bad"))
    assert good == "A reply."
    assert isinstance(bad, EndpointError)
    assert (bad.reason, bad.retryable) == ("bad_request", False)


def test_an_endpoint_that_refuses_every_request_is_a_setup_error(
    make_models: Callable[..., Any],
) -> None:
    refusal = Reply('{"error": {"message": "unknown parameter top_k"}}', status=400)
    with Loopback(lambda prompt: refusal) as server:
        *_, last = complete(make_models, server, *(request(str(n)) for n in range(8)))
    assert isinstance(last, SetupError)
    assert "unknown parameter top_k" in str(last)


def test_a_prompt_that_is_too_long_says_which_setting_to_lower(
    make_models: Callable[..., Any],
) -> None:
    said = Reply('{"error": {"message": "maximum context length is 8192"}}', status=400)
    with Loopback(lambda prompt: said) as server:
        (error,) = complete(make_models, server, request())
    assert isinstance(error, EndpointError)
    assert (error.reason, error.retryable) == ("context_length", False)
    assert "max_context_length" in str(error)


def test_a_prompt_that_a_safety_filter_refuses_is_blocked(
    make_models: Callable[..., Any],
) -> None:
    said = Reply('{"error": {"message": "filtered", "code": "content_filter"}}', status=400)
    with Loopback(lambda prompt: said) as server:
        (error,) = complete(make_models, server, request())
    assert isinstance(error, ReplyError)
    assert error.reason == "blocked"


def test_calls_stop_before_the_token_budget_is_passed(
    make_models: Callable[..., Any], store: ReplyStore
) -> None:
    with Loopback(lambda prompt: Reply("Yes.", usage=(50, 50))) as server:
        results = complete(
            make_models,
            server,
            *(request(str(n)) for n in range(20)),
            budget=Budget(max_tokens_total=1000),
        )
    totals = store.totals()
    assert isinstance(results[-1], BudgetExceededError)
    assert 700 <= totals.input_tokens + totals.output_tokens <= 1000


def test_cost_comes_from_the_configured_prices(
    loopback: Loopback, make_models: Callable[..., Any], store: ReplyStore
) -> None:
    with metered() as meter:
        complete(
            make_models,
            loopback,
            request(),
            price_per_million_input=1.0,
            price_per_million_output=10.0,
        )
    assert meter.cost_usd == pytest.approx(100e-6 + 200e-6)
    assert store.totals().cost_usd == pytest.approx(meter.cost_usd)


def test_usage_that_a_server_does_not_report_is_estimated(
    make_models: Callable[..., Any], store: ReplyStore
) -> None:
    with Loopback(lambda prompt: Reply("x" * 300, usage=None)) as server:
        complete(make_models, server, request("word " * 300))
    totals = store.totals()
    assert 400 < totals.input_tokens < 900
    assert 80 < totals.output_tokens < 130


def test_a_reply_that_cannot_be_committed_is_not_used(
    loopback: Loopback, make_models: Callable[..., Any], store: ReplyStore
) -> None:
    store.close()
    (error,) = complete(make_models, loopback, request())
    assert isinstance(error, StoreError)


def test_never_more_calls_in_flight_than_the_ceiling(make_models: Callable[..., Any]) -> None:
    async def main() -> None:
        async with make_models(endpoint(server.url), concurrency=3) as models:
            engine = models.engine("answer")
            await asyncio.gather(*(engine.complete(request(str(n))) for n in range(20)))

    with Loopback(latency_s=0.01) as server:
        asyncio.run(main())
    assert server.max_in_flight == 3


def test_requests_a_minute_are_spread(make_models: Callable[..., Any]) -> None:
    with Loopback() as server:
        started = time.perf_counter()
        complete(make_models, server, *(request(str(n)) for n in range(4)), requests_per_minute=600)
    assert time.perf_counter() - started >= 0.3


def test_a_cancelled_call_leaves_no_slot_and_no_money_taken(
    make_models: Callable[..., Any],
) -> None:
    async def main() -> tuple[int, str | None]:
        budget = Budget(max_tokens_total=300)
        async with make_models(endpoint(server.url), concurrency=1, budget=budget) as models:
            engine = models.engine("answer")
            task = asyncio.create_task(engine.complete(request("slow")))
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            server.latency_s = 0.0
            response = await asyncio.wait_for(engine.complete(request("quick")), 2)
            assert isinstance(engine.limiter, Limiter)
            return engine.limiter.text.in_flight, response.text

    with Loopback(latency_s=5.0) as server:
        assert asyncio.run(main()) == (0, "A reply.")


def test_a_dead_endpoint_is_noticed_and_the_calls_go_on_when_it_is_back(
    make_models: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> list[Any]:
        async with make_models(endpoint(server.url, retry_delay=0.1, max_retries=3)) as models:
            engine = models.engine("answer")
            calls = [engine.complete(request(str(n))) for n in range(30)]
            gathered = asyncio.gather(*calls, return_exceptions=True)
            await asyncio.sleep(0.5)
            server.dead = False
            return await asyncio.wait_for(gathered, 20)

    with Loopback() as server:
        server.dead = True
        results = asyncio.run(main())
    assert all(isinstance(r, lm15.Response) for r in results)
    assert "Endpoint 'answer' fails" in caplog.text
    # Pausing, not hammering: a few requests more than the thirty that had to be made.
    assert server.count < 60


def test_a_place_is_used_again_before_the_reply_that_freed_it_is_read(store: ReplyStore) -> None:
    happened: list[str] = []

    class Telling(Echo):
        async def complete(self, request: lm15.Request) -> lm15.Response:
            happened.append(f"sent {request.messages[0].text}")
            return await super().complete(request)

    async def ask(engine: DurableEngine, text: str) -> None:
        await engine.complete(lm15.Request(model="m", messages=(lm15.Message.user(text),)))
        happened.append(f"read {text}")

    async def main() -> None:
        limits = Limiter(concurrency=1, vision_concurrency=1)
        engine = DurableEngine(
            "answer", "m", Telling(), store=store, budget=Budget(), limiter=limits
        )
        await asyncio.gather(*(ask(engine, text) for text in "abc"))

    asyncio.run(main())
    assert happened.index("sent b") < happened.index("read a")
    assert happened.index("sent c") < happened.index("read b")
