"""Every call with its prompt and reply, one JSON line each: `traces/conversations.jsonl`.

What a call was enters, a line leaves. Images are replaced by their hash and type; keys and headers
never come here. Several processes may append to one file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from pathlib import Path

    from dspy import lm15


@dataclass(slots=True)
class Trace:
    """One call.

    Attributes:
        step: the signature's name; attempt: 0 for the first, 1 and 2 after unreadable replies.
        messages: role and content; an image is `{"image": sha256, "mime": ...}`.
        tries: requests sent for this reply, retries included; 0 when it was replayed.
        error: why the call failed or why its reply could not be read; "" when all went well.
    """

    stage: str
    record: str
    step: str
    endpoint: str
    model: str
    messages: list[dict[str, Any]]
    reply: str = ""
    finish_reason: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    latency_ms: float = 0.0
    attempt: int = 0
    tries: int = 0
    replayed: bool = False
    error: str = ""
    time: float = field(default=0.0)


class TraceWriter:
    """Appends to one file; the file and its folder are made at the first line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._fd: int | None = None

    def write(self, trace: Trace) -> None:
        """Append one line, whole or not at all where other processes append, too."""
        line = orjson.dumps(trace, option=orjson.OPT_APPEND_NEWLINE)
        with self._lock:
            if self._fd is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.write(self._fd, line)

    def close(self) -> None:
        """Close the file; a later `write` opens it again."""
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None


def readable_messages(request: lm15.Request) -> list[dict[str, Any]]:
    """A request's messages as they go into a trace."""
    messages: list[dict[str, Any]] = []
    if request.system is not None:
        messages.append({"role": "system", "content": _content(request.system)})
    messages.extend({"role": m.role, "content": _content(m.parts)} for m in request.messages)
    return messages


def _content(parts: Any) -> str | list[Any]:
    if isinstance(parts, str):
        return parts
    shown = [_shown(part) for part in parts]
    if all(isinstance(part, str) for part in shown):
        return "".join(shown)
    return shown


def _shown(part: Any) -> Any:
    if part.type == "text":
        return part.text
    if part.type == "image" and part.data:
        try:
            raw = base64.b64decode(part.data)
        except binascii.Error:
            return {"image": "not base64", "mime": part.media_type}
        return {"image": hashlib.sha256(raw).hexdigest(), "mime": part.media_type}
    if part.type == "image":
        return {"image": part.url or "", "mime": part.media_type}
    return {"type": part.type}
