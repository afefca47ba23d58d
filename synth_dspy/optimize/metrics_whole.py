"""Scores of many replies at once: accuracy, macro-F1, Cohen's kappa, and their tables.

Labels of people and of a model enter, in the same order; figures leave. Which is which does not
change agreement or kappa, and does change precision and recall.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One label's precision, recall and F1, 0 to 1, and how many examples bear it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a judge agrees with gold.

    Attributes:
        agreement: share of equal labels, 0 to 1.
        kappa: Cohen's, -1 to 1, what is above chance (https://doi.org/10.1177/001316446002000104);
            0 where gold or the judge knows one label only, since nothing can then be above chance.
        confusion: gold label -> judge's label -> how often.
    """

    n: int
    agreement: float
    kappa: float
    confusion: dict[str, dict[str, int]]


def accuracy(gold: Sequence[str], said: Sequence[str]) -> float:
    """The share of equal labels; 0 without any."""
    return sum(a == b for a, b in zip(gold, said, strict=True)) / len(gold) if gold else 0.0


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """The mean F1 over the labels that gold has: a rare category counts as much as a common one."""
    found = class_scores(gold, said)
    return sum(score.f1 for score in found) / len(found) if found else 0.0


def class_scores(gold: Sequence[str], said: Sequence[str]) -> list[ClassScore]:
    """A row for each label of gold, by name."""
    if not gold:
        return []
    from sklearn.metrics import precision_recall_fscore_support

    names = sorted(set(gold))
    figures: Any = precision_recall_fscore_support(
        list(gold), list(said), labels=names, zero_division=0.0
    )
    return [
        ClassScore(name, float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(names, *figures, strict=True)
    ]


def agreement(gold: Sequence[str], said: Sequence[str]) -> Agreement:
    """Agreement, kappa and the confusion table.

    Raises:
        ValueError: there is nothing to compare, or the lengths differ.
    """
    if not gold or len(gold) != len(said):
        raise ValueError(f"{len(gold)} labels of gold and {len(said)} of the judge")
    table: dict[str, dict[str, int]] = {}
    pairs = Counter(zip(gold, said, strict=True))
    names = sorted({*gold, *said})
    for wanted in names:
        table[wanted] = {name: pairs[wanted, name] for name in names}
    return Agreement(len(gold), accuracy(gold, said), _kappa(gold, said), table)


def _kappa(gold: Sequence[str], said: Sequence[str]) -> float:
    if len(set(gold)) < 2 or len(set(said)) < 2:
        return 0.0  # 0 / 0 where both know the same label only
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(list(gold), list(said)))
