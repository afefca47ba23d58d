"""How many tokens a request may take, before it is sent: an upper guess for budget and pace.

Bytes of text times a ratio that starts at one token in three bytes and follows the highest that the
endpoint ever reported; a flat number for an image; the reply's own limit for what comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dspy import lm15

IMAGE_TOKENS = 1_600  # a large image at the resolutions that today's models look at
DEFAULT_OUTPUT_TOKENS = 4_096
_TYPICAL_OUTPUT_TOKENS = 500
_SMALL = 200  # tokens: below, the fixed part of a prompt would spoil the ratio


@dataclass(frozen=True, slots=True)
class Size:
    """A request's size: `output_tokens` is the most that may come back."""

    text_bytes: int
    images: int
    input_tokens: int
    output_tokens: int

    @property
    def total(self) -> int:
        """What a call will likely use, for the pace."""
        return self.input_tokens + min(self.output_tokens, _TYPICAL_OUTPUT_TOKENS)


class Estimator:
    """Learns one endpoint's tokens per byte."""

    def __init__(self) -> None:
        self._tokens_per_byte = 1 / 3

    def size(self, request: lm15.Request, body: bytes) -> Size:
        """The size of a request whose body is `body`."""
        images = [p for m in request.messages for p in m.parts if p.type == "image"]
        text = len(body) - sum(len(p.data or "") for p in images)
        tokens = int(text * self._tokens_per_byte) + 1 + IMAGE_TOKENS * len(images)
        return Size(text, len(images), tokens, request.config.max_tokens or DEFAULT_OUTPUT_TOKENS)

    def learn(self, size: Size, input_tokens: int | None) -> None:
        """Follow what the endpoint reported upward."""
        if input_tokens and not size.images and input_tokens >= _SMALL:
            ratio = input_tokens / size.text_bytes
            self._tokens_per_byte = max(self._tokens_per_byte, ratio)
