"""Endpoints that DSPy itself reaches, pointed at the loopback server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import dspy
import pytest
from dspy import lm15

from synth_dspy.errors import SetupError
from synth_dspy.lm.providers import ProviderEngine
from tests.lm.conftest import KEY, Ask, endpoint
from tests.loopback import Loopback, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = lm15.Request(
    model="endpoint:x",
    messages=(lm15.Message.user("Hi"),),
    config=lm15.Config(max_tokens=9, temperature=0.5),
)


def ask(server: Loopback, **options: Any) -> lm15.Response:
    """One call over DSPy's native engine, with the provider's address replaced by the server's."""

    async def main() -> lm15.Response:
        engine = ProviderEngine("openai/gpt-4o-mini", api_key=KEY, timeout_s=2.0, **options)
        engine._lm.kwargs["api_base"] = server.url
        try:
            return await engine.complete(REQUEST)
        finally:
            await engine.aclose()

    return asyncio.run(main())


def test_a_provider_is_asked_with_its_key_and_settings(loopback: Loopback) -> None:
    response = ask(loopback)
    assert (response.model, response.text) == ("endpoint:x", "A reply.")
    assert loopback.authorizations == [f"Bearer {KEY}"]
    assert loopback.bodies[0]["model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, lm15.RateLimitError), (500, lm15.ServerError), (401, lm15.AuthError)],
)
def test_a_providers_refusal_comes_as_lm15s_error_without_the_key(
    status: int, kind: type[Exception]
) -> None:
    said = Reply(f'{{"error": {{"message": "No: {KEY}"}}}}', status=status)
    with Loopback(lambda prompt: said) as server, pytest.raises(kind) as caught:
        ask(server)
    assert KEY not in str(caught.value)
    assert server.count == 1


def test_settings_that_shape_the_reply_shape_its_key() -> None:
    plain = ProviderEngine("openai/gpt-4o-mini", api_key=KEY)
    other = ProviderEngine("openai/gpt-4o-mini", api_key="another", extra={"service_tier": "flex"})
    assert plain.encode(REQUEST) != other.encode(REQUEST)
    assert KEY.encode() not in plain.encode(REQUEST)


def test_a_missing_key_is_a_setup_error_that_names_the_endpoint(
    make_models: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)

    async def main() -> None:
        asked = endpoint(None, model_name="openai/gpt-4o-mini", api_key="")
        async with make_models(asked) as models:
            await dspy.Predict(Ask).acall(question="Up?", lm=models.lm("answer"))

    with pytest.raises(SetupError, match=r"models\.endpoints\['answer'\]"):
        asyncio.run(main())


@pytest.mark.slow
def test_a_gateway_named_by_the_environment_is_reached_over_litellm(
    loopback: Loopback, make_models: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", loopback.url)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")

    async def main() -> str:
        asked = endpoint(None, model_name="openai/gpt-4o-mini")
        async with make_models(asked) as models:
            result = await dspy.Predict(Ask).acall(question="Up?", lm=models.lm("answer"))
            return str(result.answer)

    assert asyncio.run(main()) == "Some answer."
    assert loopback.authorizations == [f"Bearer {KEY}"]
