"""Solutions that try to pass without being right, or to break the box. None may ever pass.

Each attack is a solution for `TEST` (or for a test of its own), run in every mode it applies to.
One file a family of intent; sandbox/README.md sorts the same attacks by what they go for.
"""

from __future__ import annotations

from sandbox.records import Mode

from .attack import HONEST, TEST, Attack
from .draining import DRAINING
from .escaping import ESCAPING
from .forging import FORGING
from .importing import IMPORTING
from .lasting import LASTING
from .leaving import LEAVING
from .lying import LYING
from .patching import PATCHING
from .reading import READING

FAMILIES: dict[str, dict[str, Attack]] = {
    "lying": LYING, "leaving": LEAVING, "patching": PATCHING, "reading": READING,
    "forging": FORGING, "draining": DRAINING, "lasting": LASTING, "escaping": ESCAPING,
    "importing": IMPORTING,
}  # fmt: skip


def cases() -> list[tuple[str, Attack, Mode]]:
    """Id, attack and mode of everything that is tried, in every backend."""
    return [
        (f"{family}: {name} ({mode})", attack, mode)
        for family, attacks in FAMILIES.items()
        for name, attack in attacks.items()
        for mode in attack.modes
    ]


__all__ = ["FAMILIES", "HONEST", "TEST", "Attack", "cases"]
