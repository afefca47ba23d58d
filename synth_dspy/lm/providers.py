"""Endpoints that have no `base_url`: DSPy's native engine or litellm, whichever DSPy would choose.

An lm15 request enters, an lm15 response leaves. The provider's own variables (`OPENAI_API_KEY`,
`GEMINI_API_KEY`, ...) hold the key when the endpoint has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from collections.abc import Mapping

_BACK: tuple[tuple[type[LMError], type[lm15.LM15Error]], ...] = (
    (LMRateLimitError, lm15.RateLimitError),
    (LMTimeoutError, lm15.TimeoutError),
    (LMServerError, lm15.ServerError),
    (LMTransportError, lm15.TransportError),
    (LMBillingError, lm15.BillingError),
)


class ProviderEngine:
    """One model of a provider that DSPy knows by its prefix (`anthropic/...`, `gemini/...`).

    Args:
        extra: merged into the request's extensions.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 300.0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self._extra = dict(extra or {})
        key = {"api_key": api_key} if api_key else {}
        self._key = api_key or ""
        self._lm = dspy.LM(model, cache=False, num_retries=0, timeout=timeout_s, **key)

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
            config = replace(config, extensions={**(config.extensions or {}), **self._extra})
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
            return cause
        kind = next((k for e, k in _BACK if isinstance(error, e)), lm15.InvalidRequestError)
        said = error.message.replace(self._key, "***") if self._key else error.message
        return kind(said, status=error.status, retry_after=error.retry_after)
