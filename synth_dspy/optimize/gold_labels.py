"""The labels of a gold item: whether they are of the right form, and what they come to in one word.

Knows the form of labels by the step's scoring, and no step by name.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_dspy.optimize.gold_records import GoldItem
    from synth_dspy.optimize.gold_steps import GoldStep

ACCEPT, REJECT = "accept", "reject"


def label_fault(step: GoldStep, item: GoldItem) -> str:
    """What is wrong with an item's labels; "" when nothing is."""
    if step.scoring == "category":
        return _category_fault(item)
    if step.scoring == "verdict":
        for name in step.criteria:
            if not isinstance(item.labels[name], bool):
                return f"{name} is {item.labels[name]!r}; a criterion is true or false."
        return "" if str(item.labels["reason"]).strip() else "the label reason is empty."
    if step.scoring == "tests":
        return _code_fault(item)
    if not isinstance(item.labels["possible"], bool):
        return f"possible is {item.labels['possible']!r}; it is true or false."
    return ""


def _category_fault(item: GoldItem) -> str:
    listed = item.inputs["categories"]
    if not isinstance(listed, list) or not listed:
        return "categories must be a list of `name: description`."
    names = [str(line).partition(":")[0].strip() for line in listed]
    if item.labels["category"] in names:
        return ""
    return (
        f"the label {item.labels['category']!r} is unknown; its categories are {', '.join(names)}."
    )


def _code_fault(item: GoldItem) -> str:
    for name in ("program", "test_code"):
        code = item.labels[name]
        try:
            ast.parse(str(code))
        except (SyntaxError, ValueError) as error:
            return f"{name} is not Python: {error}."
    if "def check(" not in item.labels["test_code"]:
        return "test_code does not define check(candidate)."
    return ""


def label_of(step: GoldStep, item: GoldItem) -> str:
    """An item's label in one word: its category, accept or reject, or possible or not."""
    if step.scoring == "category":
        return str(item.labels.get("category", ""))
    if step.scoring == "verdict":
        return ACCEPT if all(item.labels.get(c) is True for c in step.criteria) else REJECT
    if step.scoring == "checks":
        return "possible" if item.labels.get("possible") is True else "not possible"
    return "program"
