"""A loopback OpenAI-compatible server for tests: no model behind it, faults drawn by seed.

    with Loopback(faults={"429": 0.05}) as server:
        ...  # server.url is the base_url; server.bodies holds what it received

    python -m tests.loopback --latency-s 0.2 --faults 429=0.05,500=0.03    # prints its base_url

Runs on a free port in a thread of its own. A DSPy chat prompt is answered by filling the fields
that it asks for, each with a value of its type; `answer` overrides that.

Faults (name: share of requests): `429` with Retry-After, `500`, `hang`, `disconnect`, `truncated`
(finish_reason length), `malformed` (prose instead of fields), `cutbody` (half of the JSON with a
right Content-Length), `halfbody` (the connection closes in the middle of the body). They are drawn
from (seed, body, attempt), so the n-th attempt at a request has the same fate in any order.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import re
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAULTS = ("429", "500", "hang", "disconnect", "truncated", "malformed", "cutbody", "halfbody")
PROSE = "Sure! I would be glad to help with that. {question: it depends"
_MARK = re.compile(r"\[\[ ## (\w+) ## \]\]")
_ASKED = re.compile(r"Respond with the corresponding output fields(.*)", re.DOTALL)
_TYPES = re.compile(r"^\d+\. `(\w+)` \((.+?)\):", re.MULTILINE)
_SCHEMA = re.compile(
    r"\[\[ ## (\w+) ## \]\]\n\{\w+\}\s+# note: the value you produce must adhere to the JSON "
    r"schema: (\{.*\})"
)


@dataclass(frozen=True)
class Prompt:
    """One request as `answer` sees it.

    Attributes:
        asked: names of the fields that a DSPy chat prompt asks for, with their types as written.
        given: the input fields of the last user message.
        images: decoded bytes of every image, in order.
        attempt: 0 for the first time that this very body comes.
    """

    body: dict[str, Any]
    asked: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    images: tuple[bytes, ...] = ()
    attempt: int = 0


@dataclass(frozen=True)
class Reply:
    """A scripted reply; `text` is the message's content, or the whole body if `status` is not 200.

    Attributes:
        usage: None reports none.
    """

    text: str = ""
    finish_reason: str = "stop"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    usage: tuple[int, int] | None = (100, 20)
    delay_s: float = 0.0


class Loopback:
    """The server.

    Args:
        answer: given a prompt, returns fields (the others are filled), a whole content, a `Reply`,
            or None for the usual filling.
        faults: shares by name, see the module.
        dead: refuse to answer at all: every connection is closed.

    Attributes:
        bodies, authorizations: what was received, in order of arrival.
        dealt: how often each fault was dealt.
    """

    def __init__(
        self,
        answer: Any = None,
        *,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        latency_s: float = 0.0,
        retry_after_s: float = 0.05,
        hang_s: float = 60.0,
    ) -> None:
        unknown = set(faults or ()) - set(FAULTS)
        if unknown:
            raise ValueError(f"unknown faults {sorted(unknown)}; known: {FAULTS}")
        self.answer = answer
        self.faults = dict(faults or {})
        self.seed = seed
        self.latency_s = latency_s
        self.retry_after_s = retry_after_s
        self.hang_s = hang_s
        self.dead = False
        self.bodies: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.dealt: Counter[str] = Counter()
        self.in_flight = self.max_in_flight = 0
        self._seen: Counter[bytes] = Counter()
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """The base_url."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def count(self) -> int:
        """Requests received."""
        return len(self.bodies)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the loopback server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        loop = self._loop = asyncio.new_event_loop()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._chat)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        loop.run_until_complete(site.start())
        self._port = runner.addresses[0][1]
        self._ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            return await self._handle(request)
        finally:
            self.in_flight -= 1

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw)
        self.bodies.append(body)
        self.authorizations.append(request.headers.get("authorization"))
        key = hashlib.blake2b(raw, digest_size=16).digest()
        attempt = self._seen[key]
        self._seen[key] += 1
        fault = "disconnect" if self.dead else self._draw(key, attempt)
        if fault:
            self.dealt[fault] += 1
        reply = self._reply(body, attempt)
        await asyncio.sleep(self.hang_s if fault == "hang" else self.latency_s + reply.delay_s)
        if fault in ("disconnect", "hang"):
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if fault == "429":
            return web.json_response(
                {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}},
                status=429,
                headers={"retry-after": f"{self.retry_after_s:g}"},
            )
        if fault == "500":
            return web.json_response({"error": {"message": "The server had an error"}}, status=500)
        if reply.status != 200:
            return web.Response(text=reply.text, status=reply.status, headers=reply.headers)
        text, finish = reply.text, reply.finish_reason
        if fault == "truncated":
            text, finish = text[: len(text) // 2], "length"
        if fault == "malformed":
            text = PROSE
        usage = reply.usage and {
            "prompt_tokens": reply.usage[0], "completion_tokens": reply.usage[1],
        }  # fmt: skip
        data = json.dumps(
            {
                "id": f"chatcmpl-{self.count}",
                "object": "chat.completion",
                "model": body.get("model"),
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": text},
                        "finish_reason": finish,
                    }
                ],
                **({"usage": usage} if usage else {}),
            }
        ).encode()
        if fault == "cutbody":
            data = data[: len(data) // 2]
        if fault == "halfbody":
            return await self._half(request, data)
        return web.Response(body=data, content_type="application/json", headers=reply.headers)

    async def _half(self, request: web.Request, data: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": str(len(data))})
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        if request.transport is not None:
            request.transport.close()
        return response

    def _draw(self, key: bytes, attempt: int) -> str | None:
        drawn = hashlib.blake2b(b"%d|%d|" % (self.seed, attempt) + key, digest_size=8).digest()
        point, edge = int.from_bytes(drawn, "big") / 2**64, 0.0
        for name in FAULTS:
            edge += self.faults.get(name, 0.0)
            if point < edge:
                return name
        return None

    def _reply(self, body: dict[str, Any], attempt: int) -> Reply:
        prompt = read_prompt(body, attempt)
        said = self.answer(prompt) if self.answer is not None else None
        if isinstance(said, Reply):
            return said
        if isinstance(said, str):
            return Reply(said)
        return Reply(fill(prompt, said or {}))


def read_prompt(body: dict[str, Any], attempt: int = 0) -> Prompt:
    """What a request asks for, if it is a DSPy chat prompt."""
    texts, images = [], []
    for message in body["messages"]:
        parts = message["content"]
        parts = [{"type": "text", "text": parts}] if isinstance(parts, str) else parts
        texts.append("".join(p["text"] for p in parts if p["type"] == "text"))
        images += [
            base64.b64decode(p["image_url"]["url"].partition(";base64,")[2])
            for p in parts
            if p["type"] == "image_url" and ";base64," in p["image_url"]["url"]
        ]
    asked = _ASKED.search(texts[-1])
    types = dict(_TYPES.findall(texts[0]))
    types |= {name: schema for name, schema in _SCHEMA.findall(texts[0]) if name in types}
    names = [n for n in _MARK.findall(asked.group(1) if asked else "") if n != "completed"]
    # A correction's message repeats what is asked; the fields stand in a user message before it.
    users = [t for t, m in zip(texts, body["messages"], strict=True) if m["role"] == "user"]
    inputs = next((t for t in reversed(users) if t.lstrip().startswith("[[ ## ")), texts[-1])
    pieces = _MARK.split(_ASKED.sub("", inputs))
    given = {n: v.strip() for n, v in zip(pieces[1::2], pieces[2::2], strict=True)}
    return Prompt(body, {n: types.get(n, "str") for n in names}, given, tuple(images), attempt)


def fill(prompt: Prompt, values: Mapping[str, Any]) -> str:
    """The asked fields in DSPy's chat format; plain text for a prompt of another kind."""
    if not prompt.asked:
        return "A reply."
    lines = []
    for name, kind in prompt.asked.items():
        value = values[name] if name in values else _value(name, kind)
        text = value if isinstance(value, str) else json.dumps(value)
        lines.append(f"[[ ## {name} ## ]]\n{text}\n\n")
    return "".join(lines) + "[[ ## completed ## ]]"


def _value(name: str, kind: str) -> Any:
    if kind.startswith("{"):
        return _example(json.loads(kind), name)
    if kind.startswith("Literal["):
        return str(json.loads("[" + kind[8:-1].replace("'", '"') + "]")[0])
    if kind.startswith("list["):
        return [_value(name, kind[5:-1])]
    return {"bool": True, "int": 1, "float": 0.5}.get(kind, f"Some {name.replace('_', ' ')}.")


def _example(schema: dict[str, Any], name: str, defs: dict[str, Any] | None = None) -> Any:
    defs = defs if defs is not None else schema.get("$defs", {})
    if "$ref" in schema:
        return _example(defs[schema["$ref"].rpartition("/")[2]], name, defs)
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("anyOf"):
        return _example(schema["anyOf"][0], name, defs)
    kind = schema.get("type", "string")
    if kind == "object":
        return {k: _example(v, k, defs) for k, v in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema.get("items", {}), name, defs)]
    plain = {"integer": 1, "number": 0.5, "boolean": True, "null": None}
    return plain.get(kind, f"Some {name.replace('_', ' ')}.")


def main() -> None:
    """Serve until killed; for benchmarks, where the server must not share the client's core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-s", type=float, default=0.0)
    parser.add_argument("--faults", default="", help="NAME=SHARE,... of " + " ".join(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--retry-after-s", type=float, default=1.0)
    given = parser.parse_args()
    shares = (item.split("=") for item in given.faults.split(",") if item)
    server = Loopback(
        faults={name: float(share) for name, share in shares},
        seed=given.seed,
        latency_s=given.latency_s,
        retry_after_s=given.retry_after_s,
    )
    with server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        threading.Event().wait()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """A server without faults; import it into a test module or conftest to use it."""
    with Loopback() as server:
        yield server


if __name__ == "__main__":
    main()
