"""What a gold set is: labelled examples of one step, each in one split.

Nothing is read or judged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

if TYPE_CHECKING:
    import dspy

SplitName = Literal["train", "validation", "heldout"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)


@dataclass(frozen=True, slots=True)
class GoldItem:
    """One labelled example.

    Attributes:
        inputs: by input field of the step's signature.
        labels: by output field, and what else the metric needs (a test).
        source: where it comes from, for attribution; license: an SPDX identifier.
    """

    id: str
    split: SplitName
    inputs: dict[str, Any]
    labels: dict[str, Any]
    source: str
    license: str


@dataclass(frozen=True, slots=True)
class GoldSet:
    """The gold of one step.

    Attributes:
        step: the gold step's name.
        sha256: of the items in canonical JSON, in order: 64 hex characters.
    """

    step: str
    items: tuple[GoldItem, ...]
    sha256: str

    def split(self, name: SplitName) -> tuple[GoldItem, ...]:
        """The items of one split, in order."""
        return tuple(item for item in self.items if item.split == name)

    def examples(self, name: SplitName) -> list[dspy.Example]:
        """The items of one split as DSPy has them: inputs marked, labels beside them."""
        import dspy

        return [
            cast(
                "dspy.Example",
                dspy.Example(**item.inputs, **item.labels).with_inputs(*item.inputs),
            )
            for item in self.split(name)
        ]
