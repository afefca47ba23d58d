"""From endpoints to language models."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

import dspy
import pytest
from dspy import lm15

from synth_dspy.errors import ConfigError
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.budget import Budget
from synth_dspy.lm.endpoint_lm import plain_request
from synth_dspy.lm.models import Models, configure_dspy
from synth_dspy.lm.prices import FREE, price_of
from tests.lm.conftest import KEY, Ask, Echo, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.lm.replies import ReplyStore
    from tests.loopback import Loopback


def models(store: ReplyStore, *endpoints: Any, budget: Budget | None = None) -> Models:
    return Models(
        endpoints,
        store=store,
        budget=budget or Budget(),
        traces=None,
        concurrency=4,
        vision_concurrency=2,
        offline=Echo(),
    )


def test_an_unknown_endpoint_is_named_with_the_known_ones(store: ReplyStore) -> None:
    made = models(store, endpoint("http://h/v1"), endpoint("http://h/v1", name="vision"))
    with pytest.raises(ConfigError, match=r"'judge'.*answer, vision"):
        made.lm("judge")


def test_two_endpoints_of_one_model_are_told_apart(store: ReplyStore) -> None:
    made = models(store, endpoint("http://h/v1"), endpoint("http://h/v1", name="vision"))
    assert made.lm("answer").model != made.lm("vision").model
    assert made.lm("answer") is made.lm("answer")


def test_the_offline_model_says_so_and_is_asked_through_the_same_path(
    make_models: Callable[..., Any], store: ReplyStore
) -> None:
    async def main() -> tuple[str, str]:
        async with make_models(endpoint(None, api_key="")) as made:
            response = await made.lm("answer").acall("Hello")
            return made.model_name("answer"), response[0]

    assert asyncio.run(main()) == ("offline", "Hello")
    assert store.totals() == (1, 7, 3, 0.0)


def test_an_endpoint_may_be_called_like_a_reasoning_model(store: ReplyStore) -> None:
    made = models(store, endpoint("http://h/v1", name="gpt-5", temperature=0.3))
    assert made.lm("gpt-5").kwargs["temperature"] == 0.3


def test_optimizers_may_copy_a_program_with_its_model(store: ReplyStore) -> None:
    lm = models(store, endpoint("http://h/v1")).lm("answer")
    step = dspy.Predict(Ask)
    step.lm = lm
    assert copy.deepcopy(step).lm._async_engine_spec is lm._async_engine_spec
    assert step.deepcopy().lm.engine is lm.engine


def test_a_models_state_cannot_be_saved_with_its_engine(store: ReplyStore) -> None:
    with pytest.raises(TypeError):
        models(store, endpoint("http://h/v1")).lm("answer").dump_state()


def test_no_representation_shows_a_key(store: ReplyStore) -> None:
    made = models(store, endpoint("http://h/v1"))
    lm = made.lm("answer")
    shown = repr(made.engine("answer")) + repr(lm) + repr(lm.engine) + str(lm.kwargs)
    assert KEY not in shown


def test_a_budget_in_money_needs_a_price(store: ReplyStore) -> None:
    made = models(store, endpoint("http://h/v1"), budget=Budget(max_cost_usd=1.0))
    with pytest.raises(ConfigError, match="price_per_million_input"):
        made.lm("answer")


def test_a_price_must_be_given_whole() -> None:
    with pytest.raises(ConfigError, match="set both"):
        price_of(endpoint("http://h/v1", price_per_million_input=1.0))


def test_the_price_of_a_well_known_model_is_known() -> None:
    price = price_of(endpoint("http://h/v1", model_name="gpt-4o-mini"))
    assert price is not None
    assert 0 < price.input_usd < price.output_usd < 1e-4
    assert price_of(endpoint("http://h/v1", model_name="openai/gpt-4o-mini")) == price


def test_the_offline_model_is_free() -> None:
    assert price_of(endpoint(None)) == FREE


def test_a_model_that_nobody_sells_has_no_price() -> None:
    assert price_of(endpoint("http://h/v1", model_name="my-own-model")) is None


def test_settings_of_an_endpoint_reach_the_server(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    asked = endpoint(
        loopback.url, top_p=0.9, top_k=20, seed=5, min_p=0.1, extra_body={"guided": True}
    )

    async def main() -> None:
        async with make_models(asked) as made:
            await dspy.Predict(Ask).acall(question="Up?", lm=made.lm("answer"))

    asyncio.run(main())
    body = loopback.bodies[0]
    sent = {k: body.get(k) for k in ("top_p", "top_k", "seed", "min_p", "guided", "temperature")}
    assert sent == {
        "top_p": 0.9, "top_k": 20, "seed": 5, "min_p": 0.1, "guided": True, "temperature": 0.7,
    }  # fmt: skip


def test_a_predictors_own_settings_win(loopback: Loopback, make_models: Callable[..., Any]) -> None:
    config = {"rollout_id": 3, "seed": 3, "temperature": 1.0}

    async def main() -> None:
        async with make_models(endpoint(loopback.url, seed=5)) as made:
            step = dspy.Predict(Ask)
            await step.acall(question="Up?", lm=made.lm("answer"), config=config)

    asyncio.run(main())
    body = loopback.bodies[0]
    assert (body["seed"], body["temperature"], "rollout_id" in body) == (3, 1.0, False)


def test_callbacks_see_every_call(loopback: Loopback, make_models: Callable[..., Any]) -> None:
    class Seen(dspy.utils.callback.BaseCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def on_lm_end(self, call_id: str, outputs: Any, exception: Any = None) -> None:
            self.calls.append(outputs)

    seen = Seen()

    async def main() -> None:
        async with make_models(endpoint(loopback.url)) as made:
            with dspy.context(callbacks=[seen]):
                await dspy.Predict(Ask).acall(question="Up?", lm=made.lm("answer"))

    asyncio.run(main())
    assert len(seen.calls) == 1
    assert "Some answer." in seen.calls[0][0]


def test_usage_is_tracked_as_dspy_does(loopback: Loopback, make_models: Callable[..., Any]) -> None:
    async def main() -> Any:
        async with make_models(endpoint(loopback.url)) as made:
            with dspy.track_usage() as tracker:
                await dspy.Predict(Ask).acall(question="Up?", lm=made.lm("answer"))
            return tracker.get_total_tokens()

    (usage,) = asyncio.run(main()).values()
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (100, 20)


def test_a_plain_request_is_what_dspy_itself_would_make() -> None:
    options = {
        "model": "endpoint:x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                ],
            },
        ],
        "temperature": 0.5,
        "max_tokens": 10,
        "seed": 1,
    }
    assert plain_request(options) == lm15.request_from_openai_chat(options)


@pytest.mark.parametrize(
    "odd",
    [
        {"n": 2},
        {"stop": ["x"]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "file"}]}]},
        {"messages": []},
    ],
)
def test_anything_out_of_the_ordinary_takes_dspys_own_path(odd: dict[str, Any]) -> None:
    ordinary = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert plain_request(ordinary) is not None
    assert plain_request(ordinary | odd) is None


def test_dspy_is_configured_without_caches_history_and_trace() -> None:
    before = dspy.settings.adapter
    try:
        configure_dspy()
        assert isinstance(dspy.settings.adapter, SynthAdapter)
        assert dspy.settings.disable_history
        assert dspy.settings.trace is None
        assert not dspy.cache.enable_disk_cache
        assert not dspy.cache.enable_memory_cache
    finally:
        dspy.configure(adapter=before)


def test_closing_twice_is_harmless(loopback: Loopback, store: ReplyStore) -> None:
    async def main() -> None:
        made = models(store, endpoint(loopback.url))
        await asyncio.to_thread(made.lm("answer"), "Hi")
        await made.aclose()
        await made.aclose()

    asyncio.run(main())
    assert loopback.count == 1
