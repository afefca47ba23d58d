"""Gold sets for tests: small, and good unless a test makes them bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synth_dspy.optimize.gold import GoldItem, GoldSet, SplitName, gold_set

SIZES: tuple[tuple[SplitName, int], ...] = (("train", 8), ("validation", 8), ("heldout", 20))
CATEGORIES = ["rivers: water that flows", "stars: light of the night"]
# Words that no two items share, so that nothing is a near-duplicate by chance.
_WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "jetty",
    "kayak", "ledge", "marsh", "north", "otter", "plaza", "quarry", "ridge", "shoal", "tundra",
    "urchin", "valley", "willow", "xenon", "yonder", "zephyr", "anchor", "bridge", "copper",
    "dynamo", "engine", "falcon", "garnet", "harbor", "indigo", "jasper",
)  # fmt: skip


def classify_item(number: int, split: SplitName, category: str) -> GoldItem:
    """One item of the step `classify`."""
    word = _WORDS[number % len(_WORDS)]
    return GoldItem(
        f"c-{number}",
        split,
        {
            "question": f"{word * 3}?",
            "answer": f"{word[::-1] * 4} {number}",
            "heading": "",
            "categories": CATEGORIES,
        },
        {"category": category},
        "made for tests",
        "Apache-2.0",
    )


def judge_item(number: int, split: SplitName, **unmet: bool) -> GoldItem:
    """One item of the step `judge`; keyword arguments are criteria and whether they are met."""
    word = _WORDS[number % len(_WORDS)]
    criteria = ("correct", "grounded", "complete", "well_formed", "image_essential")
    return GoldItem(
        f"j-{number}",
        split,
        {
            "type": "qa",
            "form": "a question in words",
            "question": f"What is {word}?",
            "answer": f"{word} is {word[::-1] * 5}.",
            "passage": f"{word * 6} {number}",
        },
        {**{name: unmet.get(name, True) for name in criteria}, "reason": "Because."},
        "made for tests",
        "Apache-2.0",
    )


def items(step: str = "classify") -> list[GoldItem]:
    """A good set's items."""
    made, number = [], 0
    for split, count in SIZES:
        for _ in range(count):
            if step == "classify":
                made.append(classify_item(number, split, ("rivers", "stars")[number % 2]))
            else:
                made.append(judge_item(number, split, correct=number % 2 == 0))
            number += 1
    return made


def gold(step: str = "classify", **changes: Any) -> GoldSet:
    """A good set; `changes` replace fields of its first item."""
    made = items(step)
    made[0] = replace(made[0], **changes)
    return gold_set(step, made)
