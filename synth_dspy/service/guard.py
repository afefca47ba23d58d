"""Around every request: an id, a key, a rate, a size, and a line in the log. Plain ASGI.

It knows no endpoint but the one that is open to all: health.
"""

from __future__ import annotations

import hmac
import logging
import math
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

LOG = logging.getLogger("synth_dspy.service")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = "/synthetic/health"
_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_MAX_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a request.

    Attributes:
        api_key: "" asks for none; requests_per_minute: of one client, 0 for any number.
    """

    api_key: str = ""
    max_body_bytes: int = 65_536
    requests_per_minute: int = 0


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the program
    """A request that is answered here.

    Attributes:
        status, detail, headers: of the answer.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


class Rates:
    """A bucket of tokens a client; it fills evenly and holds a quarter of a minute's worth."""

    def __init__(
        self, per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self._per_s, self._size = per_minute / 60, max(per_minute / 4, 1.0)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """0 when the client may go on, and is counted; else the seconds until it may."""
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._size, now))
        tokens = min(self._size, tokens + (now - then) * self._per_s)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        if len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._per_s


class Guard:
    """ASGI middleware that holds `Rules`."""

    def __init__(self, app: App, rules: Rules) -> None:
        self._app, self._rules = app, rules
        self._rates = Rates(rules.requests_per_minute) if rules.requests_per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        started, status = time.perf_counter(), 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()), (b"x-request-id", request_id.encode())
                ]  # fmt: skip
            await send(message)

        try:
            self._admit(scope, headers)
            await self._app(scope, await self._whole(receive), answered)
        except Refused as refused:
            await _answer(answered, refused)
        finally:
            LOG.info(
                "request",
                extra={
                    "request": {
                        "id": request_id,
                        "client": _client(scope),
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": status,
                        "ms": round((time.perf_counter() - started) * 1000, 2),
                    }
                },
            )

    def _admit(self, scope: Scope, headers: dict[str, str]) -> None:
        rules = self._rules
        if scope["path"] == OPEN:
            return
        if rules.api_key:
            scheme, _, bearer = headers.get("authorization", "").partition(" ")
            given = headers.get("x-api-key", bearer.strip() if scheme.lower() == "bearer" else "")
            if not given:
                raise Refused(401, "Send the API key as X-API-Key.", {"www-authenticate": "Bearer"})
            if not hmac.compare_digest(given.encode(), rules.api_key.encode()):
                raise Refused(403, "The API key is wrong.")
        if self._rates is not None and (wait := self._rates.wait_s(_client(scope))):
            raise Refused(
                429,
                f"More than {rules.requests_per_minute} requests a minute; try again in "
                f"{wait:.1f} s.",
                {"retry-after": str(math.ceil(wait))},
            )
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > rules.max_body_bytes:
            raise self._too_long()

    async def _whole(self, receive: Receive) -> Receive:
        """The body, read up to the limit before the app sees any of it, to be received again."""
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":  # the client went away
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._rules.max_body_bytes:
                raise self._too_long()
        first: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        return again

    def _too_long(self) -> Refused:
        limit = self._rules.max_body_bytes
        return Refused(413, f"The body is longer than {limit} bytes.", {"connection": "close"})


def _client(scope: Scope) -> str:
    return str((scope.get("client") or ("unknown",))[0])


async def _answer(send: Send, refused: Refused) -> None:
    body = orjson.dumps({"detail": refused.detail})
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    await send({
        "type": "http.response.start",
        "status": refused.status,
        "headers": [(k.encode(), v.encode()) for k, v in (headers | refused.headers).items()],
    })  # fmt: skip
    await send({"type": "http.response.body", "body": body})
