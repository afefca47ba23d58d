"""The engine for OpenAI-compatible servers, on aiohttp: one attempt, no retry, no store.

An lm15 request enters, an lm15 response leaves; images go as data URIs. It knows its server's
address and key, and shows neither the key nor a header in any error or representation.
"""

from __future__ import annotations

import asyncio
import urllib.request
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from dspy import lm15

from synth_dspy.errors import SetupError
from synth_dspy.lm import wire
from synth_dspy.lm.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

# Below the 5 s after which uvicorn (vLLM, SGLang) drops idle connections: a request sent on a
# connection that is just being closed is lost.
_KEEP_ALIVE_S = 4.0
_CONNECT_S = 15.0
# Far above the longest chat reply: a body without end, or one that unpacks to gigabytes, ends here.
_MAX_BODY_BYTES = 16 << 20


class OpenAIEngine:
    """One OpenAI-compatible server and one model on it.

    A session is opened for each event loop that calls, since aiohttp's are bound to one.

    Args:
        name: the endpoint's name, for errors.
        base_url: what `/chat/completions` is appended to, as `http://localhost:8000/v1`.
        model: the model's name, sent as it is.
        api_key: sent as a bearer token; None or "" sends none.
        timeout_s: for one attempt, reading the body included.
        extra: merged into every body (`top_k`, `min_p`, a server's own keys).

    Raises:
        SetupError: the address is no http(s) URL, or the key cannot be sent in a header.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 300.0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            url = urlsplit(base_url)
            host = url.hostname if url.scheme in ("http", "https") and url.port != 0 else None
        except ValueError:  # half an IPv6 address, a port that is no number
            host = None
        if not host:
            raise SetupError(  # without the address, which may hold a password
                f"Endpoint {name!r}: its base_url is not an http(s) address; "
                "it looks like http://localhost:8000/v1."
            )
        key = (api_key or "").strip()
        if not key.isascii() or not key.isprintable():
            raise SetupError(
                f"Endpoint {name!r}: its api_key holds characters that no HTTP header can carry; "
                "copy it again."
            )
        self.name = name
        self.model = model
        self.host = host
        # What some gateways want behind a question mark stays there.
        self._url = url._replace(path=url.path.rstrip("/") + "/chat/completions").geturl()
        self._headers = {"content-type": "application/json"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._keys = Keys([key])
        self._timeout_s = timeout_s
        self._extra = dict(extra or {})
        # OpenAI itself refuses `max_tokens` for its reasoning models; the others know only that.
        openai = host == "api.openai.com"
        self._limit_field = "max_completion_tokens" if openai else "max_tokens"
        self._proxy = _proxy_for(url.scheme, host)
        self._sessions: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, aiohttp.ClientSession
        ] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"OpenAIEngine({self.name!r}, model={self.model!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> OpenAIEngine:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("An engine holds a key and sockets; it is not serialised.")

    def encode(self, request: lm15.Request) -> bytes:
        """The body as it is sent."""
        body = wire.chat_body(request, self.model, extra=self._extra, limit_field=self._limit_field)
        return orjson.dumps(body)

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """One attempt. Raises an `lm15.LM15Error` for anything but a readable reply."""
        return await self.send(request, self.encode(request))

    async def send(self, request: lm15.Request, body: bytes) -> lm15.Response:
        """One attempt with a body that `encode` made.

        Raises:
            lm15.TimeoutError: no whole reply within the timeout.
            lm15.TransportError: the connection failed, or the body was cut off or has no end.
            lm15.ProviderError: the server refused; the class says why (`wire.http_error`).
        """
        try:
            async with self._session().post(
                self._url, data=body, proxy=self._proxy, allow_redirects=False
            ) as reply:
                raw = await _body(reply)
                status, headers = reply.status, reply.headers
        except TimeoutError as error:
            raise lm15.TimeoutError(f"no reply within {self._timeout_s:g} s") from error
        except aiohttp.ClientError as error:
            raise self._scrubbed(lm15.TransportError(_describe(error))) from error
        if status != 200:
            raise self._scrubbed(wire.http_error(status, headers, raw))
        try:
            response = wire.read_reply(raw, self.model)
        except lm15.LM15Error as error:  # some servers report a refusal with status 200
            raise self._scrubbed(error) from error.__cause__
        return replace(response, model=request.model)

    async def aclose(self) -> None:
        """Close the calling loop's session; those of loops that are gone went with them."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
                timeout=aiohttp.ClientTimeout(
                    total=self._timeout_s, sock_connect=min(_CONNECT_S, self._timeout_s)
                ),
                headers=self._headers,
                # A cookie jar costs time on every call and could tie calls together.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return session

    def _scrubbed(self, error: lm15.LM15Error) -> lm15.LM15Error:
        self._keys.hide_in(error)
        return error


async def _body(reply: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in reply.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > _MAX_BODY_BYTES:
            raise lm15.TransportError(
                f"the reply's body is larger than {_MAX_BODY_BYTES >> 20} MiB; a chat reply is not"
            )
    return b"".join(pieces)


def _describe(error: aiohttp.ClientError) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _proxy_for(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for this host; asked once, not at every call."""
    if urllib.request.proxy_bypass(host):
        return None
    proxy = urllib.request.getproxies().get(scheme)
    return proxy if proxy and proxy.startswith(("http://", "https://")) else None
