"""Reads what is asked out of a prompt that DSPy's ChatAdapter made, and writes the reply.

A `dspy.lm15.Request` enters, an `Ask` leaves; field values enter, the reply's text leaves. The
instructions are never looked at: users and optimizers rewrite them. What is asked is known by the
names of the output fields alone. It knows nothing of what the fields mean.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dspy import lm15

_FIELD = re.compile(r"^(\d+)\. `(\w+)` \(", re.MULTILINE)
_REMINDER = "\n\nRespond with the corresponding output fields, starting with the field `[[ ## "
_NOT_SUPPLIED = "Not supplied for this particular example."


@dataclass(frozen=True, slots=True)
class Demo:
    """One worked example of the prompt; fields that it leaves out are absent."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the model.

    Attributes:
        inputs: every input field of the signature, in order; "" when the prompt has no value.
        outputs: names of the fields to fill, in order.
        ambiguous: a value holds field markers, so that the prompt can be read in two ways.
        has_image: a picture came along.
    """

    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    demos: tuple[Demo, ...] = ()
    ambiguous: bool = False
    has_image: bool = False

    def text(self, name: str) -> str:
        """The field's value; "" when it is missing or None."""
        value = self.inputs.get(name, "")
        return "" if value == "None" else value

    def listed(self, name: str) -> list[str]:
        """The values of a `list[str]` field."""
        return listed(self.inputs.get(name, ""))

    def number(self, name: str) -> int:
        """The value of an `int` field; 0 when it is none."""
        try:
            return int(self.inputs.get(name, "").strip())
        except ValueError:
            return 0


def listed(value: str) -> list[str]:
    """The values of a list as ChatAdapter writes it: JSON, or one a line."""
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if isinstance(parsed, list):
        return [str(item) for item in parsed]
    return [line.strip() for line in value.splitlines() if line.strip()]


@lru_cache(maxsize=128)
def field_names(system: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the input and of the output fields that a system message lists; empty if none."""
    head, found, rest = system.partition("Your output fields are:\n")
    if not found:
        return (), ()
    head = head.rpartition("Your input fields are:\n")[2]
    tail = rest.partition("\nAll interactions will be structured in the following way")[0]
    return _numbered(head), _numbered(tail)


def _numbered(text: str) -> tuple[str, ...]:
    """Names in a numbered list; a line out of sequence belongs to a description."""
    names: list[str] = []
    for number, name in _FIELD.findall(text):
        if int(number) == len(names) + 1:
            names.append(name)
    return tuple(names)


def read(request: lm15.Request) -> Ask:
    """What a request asks."""
    inputs, outputs = field_names(plain(request.system))
    demos: list[Demo] = []
    user: str | None = None
    last, has_image = "", False
    for message in request.messages:
        text = plain(message.parts)
        if message.role == "user":
            user = last = text
            has_image = any(getattr(part, "type", "") == "image" for part in message.parts)
        elif message.role == "assistant" and user is not None:
            demo = Demo(read_fields(user, inputs)[0], read_fields(text, outputs)[0])
            if demo.inputs and demo.outputs:
                demos.append(demo)
            user = None
    values, ambiguous = read_fields(last.rpartition(_REMINDER)[0] or last, inputs)
    complete = {name: values.get(name, "") for name in inputs}
    return Ask(complete, outputs, tuple(demos), ambiguous, has_image)


def plain(content: Any) -> str:
    """The text of a system message or of a message's parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content if getattr(part, "type", "text") == "text")


def read_fields(text: str, names: Sequence[str]) -> tuple[dict[str, str], bool]:
    """Field values of one message, and whether it can be read in two ways.

    Values are untrusted and may hold markers themselves, so a marker counts only when those before
    it and after it can be in the signature's order. Where that leaves a choice, the reading that
    starts each field as late as possible is taken: a marker planted early in the message then
    cannot push out the field that the program wrote.
    """
    places = {name: _places(text, name) for name in names}
    present = [name for name in names if places[name]]
    late = _chain(places, present[::-1], backwards=True)[::-1]
    early = _chain(places, present, backwards=False)
    chain = late if len(late) >= len(early) else early
    values: dict[str, str] = {}
    for index, (name, start, begin) in enumerate(chain):
        del start
        end = chain[index + 1][1] if index + 1 < len(chain) else len(text)
        value = text[begin:end]
        if index + 1 == len(chain):
            value = value.partition("\n\n[[ ## completed ## ]]")[0]
        value = value.strip("\n")
        if not value.startswith(_NOT_SUPPLIED):
            values[name] = value
    return values, late != early


def _places(text: str, name: str) -> list[tuple[int, int]]:
    """Where the marker of a field stands alone on a line: its start, and where its value starts."""
    marker = f"[[ ## {name} ## ]]"
    places = []
    at = text.find(marker)
    while at >= 0:
        end = at + len(marker)
        if (at == 0 or text[at - 1] == "\n") and (end == len(text) or text[end] == "\n"):
            places.append((at, min(end + 1, len(text))))
        at = text.find(marker, end)
    return places


def _chain(
    places: Mapping[str, list[tuple[int, int]]], names: Sequence[str], *, backwards: bool
) -> list[tuple[str, int, int]]:
    """One place for each name, each beyond the one before; names that find none are left out."""
    chain: list[tuple[str, int, int]] = []
    for name in names:
        options = reversed(places[name]) if backwards else iter(places[name])
        for start, begin in options:
            bound = chain[-1][1] if chain else None
            if bound is None or (start < bound if backwards else start > bound):
                chain.append((name, start, begin))
                break
    return chain


def write(outputs: Sequence[str], values: Mapping[str, object]) -> str:
    """The reply's text: every output field in order. `reasoning`, when asked for, is said too."""
    parts = []
    for name in outputs:
        value = values.get(name, values.get("reason", "") if name == "reasoning" else "")
        # A value that holds a marker would be read as the start of another field.
        text = str(value).replace("[[ ##", "[ [ ##")
        parts.append(f"[[ ## {name} ## ]]\n{text}")
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])
