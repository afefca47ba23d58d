"""What the offline model needs from outside, and what its skills look like.

An `Executor` is handed in by the caller (the sandbox); a skill gets an `Ask` and gives field
values. Nothing here knows a skill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Evaluated(Protocol):
    """What came of one expression.

    Attributes:
        ok: it gave a value.
        value: a `repr` that `ast.literal_eval` reads back; "" when not ok.
        error: the exception's type first, as `ValueError: ...`; "" when ok.
    """

    @property
    def ok(self) -> bool: ...
    @property
    def value(self) -> str: ...
    @property
    def error(self) -> str: ...


class Executor(Protocol):
    """Runs Python source, then evaluates expressions in its namespace."""

    async def __call__(self, source: str, expressions: Sequence[str]) -> Sequence[Evaluated]:
        """One result an expression, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a skill may use besides the prompt."""

    seed: int = 0
    execute: Executor | None = None
