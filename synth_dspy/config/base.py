"""What every section of the configuration shares: strictness, number types, and rule errors.

Sections are frozen pydantic models that refuse unknown keys. A rule over several fields reports
through `broken_rule`, so that `explain` can name the key that the user has to change. This module
knows no section.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

RULE = "broken_rule"
"""Error type of a rule of ours; its context holds `problems`, a list of [key, sentence]."""

T = TypeVar("T")


class Section(BaseModel):
    """Base of every section: immutable, closed, without NaN or infinity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )


def _not_a_switch(value: Any) -> Any:
    # pydantic reads `true` as 1 and 0.0 as false; in a file of settings either is a slip.
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "not a number")
    return value


def _blank_is_none(value: Any) -> Any:
    # `${VAR:-}` leaves an empty text where a number, an address or a path may be left out.
    return None if isinstance(value, str) and not value.strip() else value


Whole = Annotated[int, BeforeValidator(_not_a_switch)]
Number = Annotated[float, BeforeValidator(_not_a_switch)]
OptionalWhole = Annotated[Whole | None, BeforeValidator(_blank_is_none)]
OptionalNumber = Annotated[Number | None, BeforeValidator(_blank_is_none)]
OptionalSwitch = Annotated[bool | None, BeforeValidator(_blank_is_none)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]


def broken_rules(problems: Sequence[tuple[str, str]]) -> PydanticCustomError:
    """The error to raise for rules that were broken: `(key below this section, sentence)` each."""
    text = "; ".join(f"{key}: {sentence}" if key else sentence for key, sentence in problems)
    return PydanticCustomError(
        RULE, "{text}", {"text": text, "problems": [list(problem) for problem in problems]}
    )


def broken_rule(sentence: str, key: str = "") -> PydanticCustomError:
    """The error to raise for one rule, about the value at hand or about `key` below it."""
    return broken_rules([(key, sentence)])


def repeated(names: Sequence[str]) -> list[str]:
    """The names that occur more than once, each once, in order of their second occurrence."""
    seen: set[str] = set()
    again: dict[str, None] = {}
    for name in names:
        if name in seen:
            again[name] = None
        seen.add(name)
    return list(again)


def unique(items: tuple[T, ...], names: Sequence[str], what: str) -> tuple[T, ...]:
    """`items` as they are.

    Raises:
        PydanticCustomError: two of `names` are equal; `what` names what they are names of.
    """
    again = repeated(names)
    if again:
        listed = ", ".join(repr(name) for name in again)
        raise broken_rule(f"{listed} is the {what} of more than one entry; make them differ")
    return items
