"""The OpenAI chat format: lm15 requests to JSON bodies, JSON replies and HTTP errors back to lm15.

Pure functions; nothing here opens a socket, knows a key or retries.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson
from dspy import lm15

if TYPE_CHECKING:
    from collections.abc import Mapping

_FINISH = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
}
_SAMPLING = (
    "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty",
    "service_tier",
)  # fmt: skip
_MAX_TOKENS = 1 << 32
# Codes by which servers say that no retry can help.
_BILLING_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_MODEL_CODES = {"model_not_found", "model_not_available", "unknown_model"}
_CONTEXT_HINTS = ("context_length", "context length", "maximum context", "context window")
_BLOCK_HINTS = ("content_filter", "content_policy", "content management policy", "safety system")


def _part(part: Any) -> dict[str, Any]:
    if part.type == "text":
        return {"type": "text", "text": part.text}
    if part.type == "image":
        url = part.url or f"data:{part.media_type};base64,{part.data}"
        image = {"url": url} if part.detail is None else {"url": url, "detail": part.detail}
        return {"type": "image_url", "image_url": image}
    if part.type == "data":
        return {"type": "text", "text": orjson.dumps(part.value).decode()}
    raise lm15.UnsupportedFeatureError(
        f"A message part of type {part.type!r} cannot be sent to an OpenAI-compatible server; "
        "text and images can.",
        feature=f"part.{part.type}",
    )


def _content(parts: Any) -> str | list[dict[str, Any]]:
    if all(part.type == "text" for part in parts):
        return "".join(part.text for part in parts)
    return [_part(part) for part in parts]


def chat_body(
    request: lm15.Request,
    model: str,
    *,
    extra: Mapping[str, Any] | None = None,
    limit_field: str = "max_tokens",
) -> dict[str, Any]:
    """The JSON object for `POST /chat/completions`, keys always in the same order.

    Args:
        extra: merged last, so it wins over what the request says.
        limit_field: what the server calls the limit of output tokens.

    Raises:
        lm15.UnsupportedFeatureError: the request holds a part that is neither text nor image.
    """
    messages: list[dict[str, Any]] = []
    if request.system is not None:
        system = request.system
        text = system if isinstance(system, str) else _content(system)
        messages.append({"role": "system", "content": text})
    messages.extend({"role": m.role, "content": _content(m.parts)} for m in request.messages)
    body: dict[str, Any] = {"model": model, "messages": messages}
    config = request.config
    if config.max_tokens is not None:
        body[limit_field] = config.max_tokens
    for name in _SAMPLING:
        value = getattr(config, name)
        if value is not None:
            body[name] = value
    if config.response_format is not None:
        body["response_format"] = _response_format(config.response_format)
    if config.stop:
        body["stop"] = list(config.stop)
    if config.extensions:
        body.update(config.extensions)
    if extra:
        body.update(extra)
    return body


def _response_format(given: Mapping[str, Any]) -> dict[str, Any]:
    """lm15's form of a schema as OpenAI's servers take it."""
    if given.get("type") != "json_schema":
        return dict(given)
    return {
        "type": "json_schema",
        "json_schema": {name: value for name, value in given.items() if name != "type"},
    }


def encode(request: lm15.Request, model: str) -> bytes:
    """The body of `chat_body` as bytes, for engines that do not send one."""
    return orjson.dumps(chat_body(request, model))


def read_reply(raw: bytes, model: str) -> lm15.Response:
    """A chat completion's body as a response. Hidden reasoning is left out.

    Raises:
        lm15.TransportError: the body is no JSON object (cut off, or a proxy's page).
        lm15.ServerError: the body is JSON without a choice, or reports an error of the server's.
    """
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise lm15.TransportError(
            f"the reply's body is not JSON ({len(raw)} bytes, {error}); it may have been cut off"
        ) from error
    if not isinstance(data, dict):
        raise lm15.ServerError(f"the reply is a JSON {type(data).__name__}, not an object")
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise lm15.ServerError(f"the reply has no choices: {_message(data) or 'no message'}")
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, dict):
        raise lm15.ServerError("the reply's first choice has no message")
    finish = _FINISH.get(str(choice.get("finish_reason")), "stop")
    text = _text(message.get("content"))
    if message.get("refusal"):
        finish, text = "content_filter", text or str(message["refusal"])
    return lm15.Response(
        id=str(data["id"]) if data.get("id") else None,
        model=str(data.get("model") or model),
        message=lm15.Message.assistant(text),
        finish_reason=finish,
        usage=_usage(data.get("usage")),
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(p.get("text") or "") for p in content if isinstance(p, dict))
    return ""


def _usage(usage: Any) -> lm15.Usage:
    if not isinstance(usage, dict):
        return lm15.Usage()

    def count(name: str) -> int | None:
        value = usage.get(name)
        # A server that counts wrongly is as one that does not count.
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if 0 <= value < _MAX_TOKENS else None

    return lm15.Usage(input_tokens=count("prompt_tokens"), output_tokens=count("completion_tokens"))


def _message(data: Any) -> str:
    """What a server's error body says, whatever its shape."""
    if isinstance(data, dict):
        for name in ("error", "message", "detail"):
            value = data.get(name)
            if isinstance(value, dict):
                value = value.get("message") or value
            if value:
                return str(value)
    return ""


def _code(data: Any) -> str:
    error = data.get("error") if isinstance(data, dict) else None
    if isinstance(error, dict):
        return str(error.get("code") or error.get("type") or "")
    return ""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` (a number or an HTTP date) or `retry-after-ms` asks to wait."""
    milliseconds = headers.get("retry-after-ms", "")
    value = headers.get("retry-after", "").strip()
    try:
        if milliseconds:
            return max(0.0, float(milliseconds) / 1000)
        return max(0.0, float(value)) if value else None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def http_error(status: int, headers: Mapping[str, str], raw: bytes) -> lm15.LM15Error:
    """The lm15 error for an HTTP status that is not 200.

    The server's own words are kept (at most 500 characters) except for a refused key: servers
    like to quote it.
    """
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        data = None
    said = (_message(data) or raw[:500].decode("utf-8", "replace")).strip()[:500]
    code, low = _code(data), said.lower()
    wait = retry_after_s(headers)
    kind: type[lm15.ProviderError]
    if status in (401, 403):
        return lm15.AuthError("the key was refused", status=status, provider_code=code or None)
    if status == 402 or code in _BILLING_CODES:
        kind = lm15.BillingError
    elif code in _MODEL_CODES:
        kind = lm15.UnsupportedModelError
    elif status in (429, 529):
        kind = lm15.RateLimitError
    elif status in (408, 504):
        kind = lm15.TimeoutError
    elif status in (409, 425) or status >= 500:
        kind = lm15.ServerError
    elif any(hint in low or hint in code for hint in _CONTEXT_HINTS):
        kind = lm15.ContextLengthError
    elif status == 404:
        kind = lm15.UnsupportedModelError
    else:
        kind = lm15.InvalidRequestError
        if any(hint in low or hint in code for hint in _BLOCK_HINTS):
            code = "content_filter"
    return kind(said, status=status, provider_code=code or None, retry_after=wait)
