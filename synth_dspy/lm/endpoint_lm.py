"""`dspy.LM` without its two hops through the thread pool on every asynchronous call.

DSPy prepares and prices each call in a worker thread, since other engines may read local files and
look prices up. Ours do neither, and at 256 calls in flight the hops and the general translation of
messages cost a fifth of the throughput. Callbacks, usage and errors go DSPy's own way.
"""

from __future__ import annotations

from typing import Any

import dspy
from dspy import lm15
from dspy.clients._deprecation import warn_openai_messages
from dspy.clients.call_result import CallResult
from dspy.clients.errors import error_boundary
from dspy.clients.execution import finalize, prepare
from dspy.utils.callback import with_callbacks

from synth_dspy.lm.meter import trace_scope

_KNOWN = {"temperature", "max_tokens", "top_p", "seed", "response_format"}
_IGNORED = {"model", "messages", "rollout_id"}


class EndpointLM(dspy.LM):
    """The language model of one endpoint; made by `Models.lm`.

    Attributes:
        structured_output: ask for JSON by schema; turned off when the endpoint refuses it.
    """

    structured_output: bool = False

    def __call__(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        """As `dspy.LM`; another `rollout_id` is another sample, which the reply store must know."""
        rollout = kwargs.get("rollout_id", self.kwargs.get("rollout_id"))
        with trace_scope(sample=rollout or None):
            return super().__call__(prompt, messages=messages, **kwargs)

    @with_callbacks  # type: ignore[untyped-decorator]
    async def acall(self, prompt: Any = None, *, messages: Any = None, **kwargs: Any) -> Any:
        """As `dspy.LM.acall`; what is not a plain call of a DSPy adapter takes DSPy's own path."""
        call = prepare(self, prompt, messages, kwargs, asynchronous=True)
        request = plain_request(call.legacy)
        if request is None or call.request or call.cache or dspy.settings.send_stream is not None:
            return await dspy.LM.acall.__wrapped__(self, prompt, messages=messages, **kwargs)
        warn_openai_messages(self, messages)
        with error_boundary(self.model, unexpected=True):
            response = await self._async_engine_spec.complete(request)
        return finalize(self, call, CallResult.native(response))


def plain_request(options: dict[str, Any]) -> lm15.Request | None:
    """The request for OpenAI-shaped options, or None when they hold anything out of the ordinary.

    Ordinary are an optional first system message, text, images as data URIs, and the four settings
    that every server knows.
    """
    config = {}
    for name, value in options.items():
        if value is None or name in _IGNORED:
            continue
        if name not in _KNOWN:
            return None
        config[name] = value
    system: str | None = None
    messages = []
    for number, message in enumerate(options.get("messages") or ()):
        role, content = message.get("role"), message.get("content")
        if len(message) != 2:
            return None
        if role == "system" and number == 0 and isinstance(content, str):
            system = content
            continue
        parts = _parts(content)
        if parts is None or role not in ("user", "assistant"):
            return None
        messages.append(lm15.Message(role=role, parts=parts))
    if not messages:
        return None
    return lm15.Request(
        model=options["model"],
        messages=tuple(messages),
        system=system,
        config=lm15.Config(**config),
    )


def _parts(content: Any) -> tuple[Any, ...] | None:
    if isinstance(content, str):
        return (lm15.TextPart(text=content),)
    if not isinstance(content, list):
        return None
    parts: list[Any] = []
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "text":
            parts.append(lm15.TextPart(text=block["text"]))
            continue
        image = block.get("image_url") if kind == "image_url" else None
        url = image.get("url", "") if isinstance(image, dict) and len(image) == 1 else ""
        head, comma, data = url.partition(";base64,")
        if not comma or not head.startswith("data:image/"):
            return None
        parts.append(lm15.ImagePart(media_type=head[5:], data=data))
    return tuple(parts) or None
