"""Dialogues in the forms that fine-tuning tools read: one JSON value a line.

Messages enter, a line leaves. `messages` is OpenAI's and TRL's form, `sharegpt` that of
LLaMA-Factory and Axolotl, `nanochat` what the CustomJSON task of karpathy/nanochat loads: an array
of at least two messages, user first, then in turn; it has no system messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from synth_dspy.dialogues import Message

DialogueForm = Literal["messages", "nanochat", "sharegpt"]
_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


def as_messages(messages: Sequence[Message]) -> Any:
    """`{"messages": [{"role", "content"}]}`, the system message among them."""
    return {"messages": [{"role": m.role, "content": m.content} for m in messages]}


def as_nanochat(messages: Sequence[Message]) -> Any:
    """`[{"role", "content"}]` without the system message."""
    return [{"role": m.role, "content": m.content} for m in messages if m.role != "system"]


def as_sharegpt(messages: Sequence[Message]) -> Any:
    """`{"conversations": [{"from", "value"}]}`, the system message among them."""
    return {"conversations": [{"from": _SPEAKERS[m.role], "value": m.content} for m in messages]}


FORMS: Mapping[DialogueForm, Callable[[Sequence[Message]], Any]] = {
    "messages": as_messages,
    "nanochat": as_nanochat,
    "sharegpt": as_sharegpt,
}
