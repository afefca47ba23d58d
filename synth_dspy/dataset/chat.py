"""Samples as conversations of two turns, in the forms that fine-tuning tools read.

A sample and the place of its image enter, one JSON object leaves. `messages` is OpenAI's and TRL's
form, `sharegpt` LLaMA-Factory's and Axolotl's, `ms-swift` that of ModelScope Swift.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

from synth_dspy.dataset.dedup import whole_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dspy.records import Sample

ChatFormat = Literal["messages", "sharegpt", "ms-swift"]
CHAT_FORMATS: tuple[ChatFormat, ...] = get_args(ChatFormat)
_IMAGE = "<image>"
_FENCED = re.compile(r"^\s*```", re.MULTILINE)


def turns(sample: Sample) -> tuple[str, str]:
    """What the user says and what the assistant answers; code in fences, completions as the whole
    function."""
    if sample.type == "function_completion":
        ask = f"Complete this function.\n\n{_fenced(sample.question)}"
        return ask, _fenced(whole_function(sample))
    if sample.test_code and not _FENCED.search(sample.answer):
        return sample.question, _fenced(sample.answer)
    return sample.question, sample.answer


def chat_row(sample: Sample, form: ChatFormat, *, image: str, with_images: bool) -> dict[str, Any]:
    """`sample` as a line of `form`.

    Args:
        image: relative path of its image, "" for none.
        with_images: whether any row of the dataset has one: all rows have the same columns then.
    """
    return _ROWS[form](*turns(sample), image, with_images)


def _messages(ask: str, answer: str, image: str, with_images: bool) -> dict[str, Any]:
    if not with_images:
        return {"messages": _roles(ask, answer)}
    shown = [{"type": "image", "text": None}] if image else []
    content = [[*shown, {"type": "text", "text": ask}], [{"type": "text", "text": answer}]]
    return {"messages": _roles(*content), "images": [image] if image else []}


def _swift(ask: str, answer: str, image: str, with_images: bool) -> dict[str, Any]:
    said = _roles(_marked(ask, image), _harmless(answer))
    return {"messages": said, **_images(image, with_images)}


def _sharegpt(ask: str, answer: str, image: str, with_images: bool) -> dict[str, Any]:
    said = [
        {"from": "human", "value": _marked(ask, image)},
        {"from": "gpt", "value": _harmless(answer)},
    ]
    return {"conversations": said, **_images(image, with_images)}


_ROWS: dict[ChatFormat, Callable[[str, str, str, bool], dict[str, Any]]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "ms-swift": _swift,
}


def _roles(ask: Any, answer: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]


def _images(image: str, with_images: bool) -> dict[str, list[str]]:
    return {"images": [image] if image else []} if with_images else {}


def _marked(ask: str, image: str) -> str:
    """The marker stands for the image; there must be as many as images."""
    return f"{_IMAGE}{_harmless(ask)}" if image else _harmless(ask)


def _harmless(text: str) -> str:
    return text.replace(_IMAGE, "< image>")


def _fenced(code: str) -> str:
    return f"```python\n{code.strip(chr(10))}\n```"
