"""Anthropic's and Gemini's own formats over a real socket, as their references document them.

The server knows two paths (`/messages`, `/models/<name>:generateContent`) and answers as each
provider would; everything else is what a run uses.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dspy
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from synth_dspy.errors import EndpointError, ReplyError, SetupError
from synth_dspy.lm.replies import ReplyStore
from tests.lm.conftest import KEY, endpoint

Make = Callable[..., Any]

TEXT = "[[ ## answer ## ]]\nA cat.\n\n[[ ## completed ## ]]"
PROVIDERS = {"anthropic": "anthropic/claude-sonnet-4-5", "gemini": "gemini/gemini-2.5-flash"}
BUSY: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": "slower"}},
    "gemini": {"error": {"code": 429, "message": "slower", "status": "RESOURCE_EXHAUSTED"}},
}


class Look(dspy.Signature):
    """Say what the picture shows."""

    picture: dspy.Image = dspy.InputField()
    answer: str = dspy.OutputField()


def reply(provider: str, text: str = TEXT, ended: str = "") -> dict[str, Any]:
    """A whole reply; `ended` is the provider's word for how it ended."""
    if provider == "anthropic":
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
            "content": [{"type": "text", "text": text}],
            "stop_reason": ended or "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": 12, "output_tokens": 6},
        }  # fmt: skip
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": text}]},
                "finishReason": ended or "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 12, "candidatesTokenCount": 6, "totalTokenCount": 18,
        },
        "modelVersion": "gemini",
    }  # fmt: skip


class Provider:
    """Answers one status and body after the other, the last one again and again."""

    def __init__(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path_qs)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.json())
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = {"retry-after": "0"} if status == 429 else {}
        return web.json_response(body, status=status, headers=headers)


def look(make_models: Make, provider: str, served: Provider, **settings: Any) -> str:
    """What the picture shows, as the model behind `served` says."""

    async def main() -> str:
        app = web.Application()
        app.router.add_post("/{path:.*}", served.answer)
        async with TestServer(app) as server:
            asked = endpoint(
                f"http://127.0.0.1:{server.port}/v1",
                **({"model_name": PROVIDERS[provider], "protocol": "provider"} | settings),
            )
            async with make_models(asked) as models:
                result = await dspy.Predict(Look).acall(
                    picture=dspy.Image(Image.new("RGB", (3, 2), "red")), lm=models.lm("answer")
                )
                return str(result.answer)

    return asyncio.run(main())


def image_in(provider: str, body: dict[str, Any]) -> tuple[str, bytes]:
    """Type and bytes of the only image in a request."""
    if provider == "anthropic":
        (part,) = [p for p in body["messages"][0]["content"] if p["type"] == "image"]
        source = part["source"]
        return source["media_type"], base64.b64decode(source["data"])
    (part,) = [p["inlineData"] for p in body["contents"][0]["parts"] if "inlineData" in p]
    return part["mimeType"], base64.b64decode(part["data"])


@pytest.fixture(params=sorted(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> str:
    """Each provider's prefix."""
    return str(request.param)


def test_the_providers_own_address_and_key_header_are_used(
    make_models: Make, provider: str
) -> None:
    served = Provider((200, reply(provider)))
    assert look(make_models, provider, served) == "A cat."
    path, header = {
        "anthropic": ("/v1/messages", "x-api-key"),
        "gemini": ("/v1/models/gemini-2.5-flash:generateContent", "x-goog-api-key"),
    }[provider]
    assert served.paths == [path]
    assert served.headers[0][header] == KEY


def test_a_picture_reaches_the_provider(make_models: Make, provider: str, tmp_path: Path) -> None:
    served = Provider((200, reply(provider)))
    look(make_models, provider, served)
    mime, data = image_in(provider, served.bodies[0])
    (tmp_path / "sent").write_bytes(data)
    with Image.open(tmp_path / "sent") as sent:
        assert (mime, sent.size, sent.convert("RGB").getpixel((0, 0))) == (
            "image/png", (3, 2), (255, 0, 0),
        )  # fmt: skip


def test_tokens_and_cost_are_booked(make_models: Make, provider: str, store: ReplyStore) -> None:
    look(
        make_models, provider, Provider((200, reply(provider))),
        price_per_million_input=1.0, price_per_million_output=10.0,
    )  # fmt: skip
    totals = store.totals()
    assert (totals.calls, totals.input_tokens, totals.output_tokens) == (1, 12, 6)
    assert totals.cost_usd == pytest.approx(72e-6)


def test_a_refusal_for_being_asked_too_much_is_asked_again(
    make_models: Make, provider: str
) -> None:
    served = Provider((429, BUSY[provider]), (200, reply(provider)))
    assert look(make_models, provider, served) == "A cat."
    assert len(served.bodies) == 2


def test_a_lasting_refusal_says_so_and_may_be_tried_later(make_models: Make, provider: str) -> None:
    served = Provider((429, BUSY[provider]))
    with pytest.raises(EndpointError, match="slower") as caught:
        look(make_models, provider, served, max_retries=0)
    assert (caught.value.reason, caught.value.retryable) == ("rate_limited", True)


def test_the_key_is_in_no_file_and_no_error(
    make_models: Make, provider: str, tmp_path: Path
) -> None:
    quoted = {"error": {"message": f"Incorrect key {KEY}", "type": "authentication_error"}}
    served = Provider((200, reply(provider, "no fields")), (200, reply(provider)), (401, quoted))
    look(make_models, provider, served)
    with pytest.raises(SetupError) as caught:
        look(make_models, provider, served, temperature=0.5)
    written = written_below(tmp_path)
    assert b"A cat." in written  # the trace is among the files
    assert KEY.encode() not in written
    assert KEY not in str(caught.value)


def written_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_key_that_the_provider_repeats_is_in_no_file_and_no_answer(
    make_models: Make, provider: str, tmp_path: Path
) -> None:
    said = TEXT.replace("A cat.", f"A cat and {KEY}.")
    served = Provider((200, reply(provider, f"no fields, {KEY}")), (200, reply(provider, said)))
    assert look(make_models, provider, served) == "A cat and ***."
    assert len(served.bodies) == 2
    assert KEY.encode() not in written_below(tmp_path)


def test_a_key_that_only_the_environment_holds_is_hidden_too(
    make_models: Make, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{provider.upper()}_API_KEY", KEY)
    said = TEXT.replace("A cat.", f"A cat and {KEY}.")
    bad = {"error": {"code": 400, "message": f"no such field: {KEY}", "type": "bad"}}
    served = Provider((200, reply(provider, said)), (400, bad))
    assert look(make_models, provider, served, api_key="") == "A cat and ***."
    with pytest.raises(EndpointError, match=r"no such field: \*\*\*"):
        look(make_models, provider, served, api_key="", temperature=0.5)
    assert KEY.encode() not in written_below(tmp_path)


def test_the_trace_holds_the_pictures_hash_instead_of_the_picture(
    make_models: Make, provider: str, tmp_path: Path
) -> None:
    look(make_models, provider, Provider((200, reply(provider))))
    (line,) = (tmp_path / "traces" / "conversations.jsonl").read_text().splitlines()
    (shown,) = [p for p in json.loads(line)["messages"][-1]["content"] if isinstance(p, dict)]
    assert (len(shown["image"]), shown["mime"]) == (64, "image/png")


@pytest.mark.parametrize(
    ("provider", "word"), [("anthropic", "refusal"), ("gemini", "SAFETY")], indirect=["provider"]
)
def test_a_safety_filters_refusal_is_recognised(
    make_models: Make, provider: str, word: str
) -> None:
    with pytest.raises(ReplyError) as caught:
        look(make_models, provider, Provider((200, reply(provider, "I cannot.", word))))
    assert caught.value.reason == "blocked"


def test_a_prompt_that_gemini_blocks_is_recognised(make_models: Make) -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}
    with pytest.raises(ReplyError) as caught:
        look(make_models, "gemini", Provider((200, blocked)))
    assert caught.value.reason == "blocked"


@pytest.mark.parametrize(
    ("provider", "word"),
    [("anthropic", "max_tokens"), ("gemini", "MAX_TOKENS")],
    indirect=["provider"],
)
def test_a_reply_that_was_cut_off_is_recognised(
    make_models: Make, provider: str, word: str
) -> None:
    with pytest.raises(ReplyError) as caught:
        look(make_models, provider, Provider((200, reply(provider, "[[ ## answer", word))))
    assert caught.value.reason == "truncated_reply"


def test_an_overloaded_anthropic_is_asked_again(make_models: Make) -> None:
    busy = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    served = Provider((529, busy), (200, reply("anthropic")))
    assert look(make_models, "anthropic", served) == "A cat."


def test_a_key_that_gemini_does_not_know_ends_the_run(make_models: Make) -> None:
    said = {
        "error": {
            "code": 400, "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                         "reason": "API_KEY_INVALID"}],
        }
    }  # fmt: skip
    with pytest.raises(SetupError, match="api_key"):
        look(make_models, "gemini", Provider((400, said)))


def test_top_k_is_sent_as_the_provider_writes_it(make_models: Make, provider: str) -> None:
    served = Provider((200, reply(provider)))
    look(make_models, provider, served, top_k=7)
    (body,) = served.bodies
    assert (body if provider == "anthropic" else body["generationConfig"])[
        "top_k" if provider == "anthropic" else "topK"
    ] == 7
