"""One attempt over a real socket, and what leaks when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pickle
import traceback
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from dspy import lm15

from synth_dspy.errors import SetupError
from synth_dspy.lm.engine import OpenAIEngine
from tests.lm.conftest import KEY
from tests.loopback import Loopback, Reply

REQUEST = lm15.Request(model="endpoint:x", messages=(lm15.Message.user("Hi"),))


def ask(server: Loopback | str, **options: Any) -> lm15.Response:
    url = server if isinstance(server, str) else server.url

    async def main() -> lm15.Response:
        engine = OpenAIEngine("x", url, "m", **({"api_key": KEY, "timeout_s": 0.4} | options))
        try:
            return await engine.complete(REQUEST)
        finally:
            await engine.aclose()

    return asyncio.run(main())


def test_the_reply_bears_the_requests_model_name(loopback: Loopback) -> None:
    response = ask(loopback)
    assert (response.model, response.text) == ("endpoint:x", "A reply.")


def test_the_key_is_sent_as_a_bearer_token_and_nowhere_in_the_body(loopback: Loopback) -> None:
    ask(loopback)
    assert loopback.authorizations == [f"Bearer {KEY}"]
    assert KEY not in str(loopback.bodies)


def test_an_endpoint_without_a_key_gets_no_authorization(loopback: Loopback) -> None:
    ask(loopback, api_key=None)
    assert loopback.authorizations == [None]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", lm15.RateLimitError),
        ("500", lm15.ServerError),
        ("hang", lm15.TimeoutError),
        ("disconnect", lm15.TransportError),
        ("cutbody", lm15.TransportError),
        ("halfbody", lm15.TransportError),
    ],
)
def test_each_fault_has_its_error(fault: str, kind: type[Exception]) -> None:
    with Loopback(faults={fault: 1.0}, hang_s=1.0) as server, pytest.raises(kind):
        ask(server)


def test_a_server_that_is_not_there_is_a_transport_error() -> None:
    with pytest.raises(lm15.TransportError):
        ask("http://127.0.0.1:9/v1")


def test_a_redirect_is_not_followed_with_the_key() -> None:
    def away(prompt: object) -> Reply:
        return Reply(status=307, headers={"location": f"{server.url}/chat/completions"})

    with Loopback(away) as server, pytest.raises(lm15.InvalidRequestError):
        ask(server)
    assert server.count == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500])
def test_a_key_that_the_server_quotes_is_in_no_error(status: int) -> None:
    said = Reply(f'{{"error": {{"message": "Incorrect key {KEY}"}}}}', status=status)
    with Loopback(lambda prompt: said) as server, pytest.raises(lm15.LM15Error) as caught:
        ask(server)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown + repr(caught.value) + str(vars(caught.value))


@pytest.mark.parametrize("word", ["x", "none", "EMPTY"])
def test_a_mere_word_as_key_spoils_no_error(word: str) -> None:
    said = Reply('{"error": {"message": "none may be EMPTY, x or y"}}', status=500)
    with (
        Loopback(lambda prompt: said) as server,
        pytest.raises(lm15.ServerError, match="none may be EMPTY, x or y"),
    ):
        ask(server, api_key=word)


def test_a_key_that_comes_back_with_status_200_is_in_no_error() -> None:
    async def main() -> None:
        async def answer(_request: web.Request) -> web.Response:
            return web.json_response({"error": {"message": f"Incorrect key {KEY}"}})

        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        async with TestServer(app) as server:
            engine = OpenAIEngine("x", f"http://127.0.0.1:{server.port}/v1", "m", api_key=KEY)
            try:
                await engine.complete(REQUEST)
            finally:
                await engine.aclose()

    with pytest.raises(lm15.ServerError, match=r"Incorrect key \*\*\*") as caught:
        asyncio.run(main())
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown + repr(caught.value) + str(vars(caught.value))


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_without_end_is_given_up(packed: bool) -> None:
    sent = 0

    async def main() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            nonlocal sent
            response = web.StreamResponse(headers={"content-type": "application/json"})
            if packed:
                response.enable_compression(web.ContentCoding.gzip)
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                while sent < 1 << 30:
                    await response.write(bytes(1 << 20))
                    sent += 1 << 20
            return response

        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        async with TestServer(app) as server:
            engine = OpenAIEngine("x", f"http://127.0.0.1:{server.port}/v1", "m")
            with pytest.raises(lm15.TransportError, match="larger than 16 MiB"):
                await engine.complete(REQUEST)
            await engine.aclose()

    asyncio.run(main())
    assert sent < 1 << 30


def test_an_engine_shows_no_key_and_is_not_serialised() -> None:
    engine = OpenAIEngine("x", "http://localhost:1/v1", "m", api_key=KEY)
    assert KEY not in repr(engine)
    assert copy.deepcopy(engine) is engine
    with pytest.raises(TypeError):
        pickle.dumps(engine)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "http://", "http://h:port/v1", "http://[::1/v1"]
)
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(SetupError, match="http://localhost:8000/v1"):
        OpenAIEngine("x", url, "m")


def test_what_a_gateway_wants_behind_a_question_mark_stays_behind_the_path() -> None:
    asked: list[str] = []

    async def main() -> None:
        async def answer(request: web.Request) -> web.Response:
            asked.append(request.path_qs)
            return web.Response(status=500)

        app = web.Application()
        app.router.add_post("/{path:.*}", answer)
        async with TestServer(app) as server:
            engine = OpenAIEngine("x", f"http://127.0.0.1:{server.port}/v1/?version=2", "m")
            with contextlib.suppress(lm15.ServerError):
                await engine.complete(REQUEST)
            await engine.aclose()

    asyncio.run(main())
    assert asked == ["/v1/chat/completions?version=2"]


def test_a_key_that_fits_no_header_is_refused_without_showing_it() -> None:
    with pytest.raises(SetupError) as caught:
        OpenAIEngine("x", "http://localhost/v1", "m", api_key="sk-é-secret")
    assert "secret" not in str(caught.value)


def test_one_engine_serves_several_event_loops(loopback: Loopback) -> None:
    engine = OpenAIEngine("x", loopback.url, "m")

    async def once() -> str | None:
        try:
            return (await engine.complete(REQUEST)).text
        finally:
            await engine.aclose()

    assert [asyncio.run(once()) for _ in range(2)] == ["A reply.", "A reply."]


def test_openai_itself_gets_the_name_of_the_limit_that_it_knows() -> None:
    request = lm15.Request(model="x", messages=REQUEST.messages, config=lm15.Config(max_tokens=5))
    engine = OpenAIEngine("x", "https://api.openai.com/v1", "gpt-5")
    assert b'"max_completion_tokens":5' in engine.encode(request)
