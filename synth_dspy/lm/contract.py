"""What an engine and an endpoint look like from inside `synth_dspy.lm`.

An engine makes one attempt: a `dspy.lm15.Request` enters, a `dspy.lm15.Response` leaves, and a
failure is one of lm15's errors. It knows no retries, no budget, no store. The offline model, our
aiohttp engine and the provider engine all look like this to `DurableEngine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dspy import lm15
    from pydantic import SecretStr

OFFLINE = "offline"


@runtime_checkable
class AsyncEngine(Protocol):
    """One attempt at one request."""

    async def complete(self, request: lm15.Request) -> lm15.Response:
        """The model's reply.

        Raises:
            lm15.LM15Error: no usable reply; the class says whether asking again makes sense.
        """
        ...


@runtime_checkable
class EncodingEngine(AsyncEngine, Protocol):
    """An engine that shows the body it would send, so that a reply can be keyed by it."""

    def encode(self, request: lm15.Request) -> bytes:
        """The body exactly as it would be sent; it holds no key and no header."""
        ...

    async def send(self, request: lm15.Request, body: bytes) -> lm15.Response:
        """Send what `encode` made of `request`. Raises as `complete` does."""
        ...


class EndpointLike(Protocol):
    """The settings of one endpoint, as `synth_dspy.config.Endpoint` has them.

    Attributes:
        model_name: "offline" for the offline model; the name as the server knows it when there is
            a `base_url` that speaks OpenAI's format; otherwise DSPy's `provider/model`.
        protocol: what is spoken at `base_url`: "openai", or "provider" for the provider's own.
        timeout: seconds for one attempt; retry_delay: seconds before the first retry, doubling.
        max_retries: attempts after the first.
        price_per_million_input, price_per_million_output: USD; None asks litellm's price table.
        extra_body: merged into every request's body.
    """

    @property
    def name(self) -> str: ...
    @property
    def base_url(self) -> str | None: ...
    @property
    def protocol(self) -> str: ...
    @property
    def api_key(self) -> SecretStr | None: ...
    @property
    def model_name(self) -> str: ...
    @property
    def max_tokens(self) -> int | None: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def timeout(self) -> float: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def retry_delay(self) -> float: ...
    @property
    def requests_per_minute(self) -> int | None: ...
    @property
    def tokens_per_minute(self) -> int | None: ...
    @property
    def price_per_million_input(self) -> float | None: ...
    @property
    def price_per_million_output(self) -> float | None: ...
    @property
    def top_p(self) -> float | None: ...
    @property
    def top_k(self) -> int | None: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def extra_body(self) -> Mapping[str, Any] | None: ...
