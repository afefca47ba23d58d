"""Endpoints that speak a provider's own format: DSPy's native engine or litellm, as DSPy chooses.

An lm15 request enters, an lm15 response leaves. The provider's own variables (`OPENAI_API_KEY`,
`GEMINI_API_KEY`, ...) hold the key when the endpoint has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dspy
import orjson
from dspy import lm15
from dspy.utils.exceptions import (
    LMBillingError,
    LMError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)

from synth_dspy.lm import wire
from synth_dspy.lm.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

_BACK: tuple[tuple[type[LMError], type[lm15.LM15Error]], ...] = (
    (LMRateLimitError, lm15.RateLimitError),
    (LMTimeoutError, lm15.TimeoutError),
    (LMServerError, lm15.ServerError),
    (LMTransportError, lm15.TransportError),
    (LMBillingError, lm15.BillingError),
)
_NAMED = frozenset({"top_k", "presence_penalty", "frequency_penalty", "service_tier"})
# Gemini's words for a prompt or a reply that its filters stopped, and for a wrong key (HTTP 400).
_BLOCKED = frozenset({
    "promptFeedback", "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION",
    "IMAGE_SAFETY",
})  # fmt: skip
_UNKNOWN_KEY = "API key not valid"


class ProviderEngine:
    """One model of a provider that DSPy knows by its prefix (`anthropic/...`, `gemini/...`).

    Args:
        base_url: where the provider's format is spoken; None is the provider's own address.
        extra: settings that lm15 knows by name are given to it, so that each provider gets its own
            spelling; the others go into the body as they are.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout_s: float = 300.0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self._extra = dict(extra or {})
        self.host = (urlsplit(base_url).hostname or "") if base_url else ""
        self._keys = Keys([api_key or ""])
        client = {"api_key": api_key, "api_base": base_url}
        given = {name: value for name, value in client.items() if value}
        self._lm = dspy.LM(model, cache=False, num_retries=0, timeout=timeout_s, **given)

    def __repr__(self) -> str:
        return f"ProviderEngine({self.model!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> ProviderEngine:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("An engine holds a key and sockets; it is not serialised.")

    def encode(self, request: lm15.Request) -> bytes:
        """What shapes the reply, in OpenAI's form; the provider's own form is DSPy's business."""
        return orjson.dumps(wire.chat_body(request, self.model, extra=self._extra))

    async def send(self, request: lm15.Request, body: bytes) -> lm15.Response:  # noqa: ARG002
        """One attempt; DSPy writes the provider's body itself. Raises as `complete` does."""
        return await self.complete(request)

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """One attempt. Raises an `lm15.LM15Error`; DSPy's own errors are turned back into it."""
        config = request.config
        if self._extra:
            named = {name: value for name, value in self._extra.items() if name in _NAMED}
            rest = {name: value for name, value in self._extra.items() if name not in _NAMED}
            extensions = {**(config.extensions or {}), **rest} or None
            config = replace(config, **named, extensions=extensions)
        # The outer LM already reports this call to callbacks and usage trackers.
        try:
            with dspy.context(callbacks=[], usage_tracker=None, disable_history=True):
                response = await self._lm.acall(
                    replace(request, model=self._lm.model, config=config)
                )
        except LMError as error:
            raise self._back(error) from None
        return replace(response, model=request.model)

    async def aclose(self) -> None:
        """Close the calling loop's connections."""
        await self._lm.aclose()

    def _back(self, error: LMError) -> lm15.LM15Error:
        cause = error.__cause__
        if isinstance(cause, lm15.LM15Error):
            kind, said, code = type(cause), cause.message, cause.provider_code
            status, retry_after = cause.status, cause.retry_after
        else:
            kind = next((k for e, k in _BACK if isinstance(error, e)), lm15.InvalidRequestError)
            said, code = error.message, None
            status, retry_after = error.status, error.retry_after
        if issubclass(kind, lm15.AuthError) or _UNKNOWN_KEY in said:
            # Servers like to quote the key, and ours may be in a variable that we do not know.
            return lm15.AuthError("the key was refused", status=status)
        if code in _BLOCKED:
            code = "content_filter"
        back = kind(said, status=status, provider_code=code, retry_after=retry_after)
        self._keys.hide_in(back)
        return back
