"""Whether a gold set can be trusted: labels, balance, repeats across splits, leaks from benchmarks.

A `GoldSet` and benchmark files enter, a `GoldReport` leaves: its problems forbid the set's use, its
counts and close pairs are for people to look at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold_labels import label_fault, label_of
from synth_dspy.optimize.gold_records import SPLITS
from synth_dspy.optimize.gold_steps import GoldStep, gold_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_dspy.dataset.benchmarks import Benchmarks
    from synth_dspy.optimize.gold_records import GoldItem, GoldSet

NEAR = 0.85
"""Jaccard similarity of character 5-grams from which two items are the same example."""
_CLOSE = 0.6
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ClosePair:
    """Two items of different splits that are alike: their ids, 0 to 1."""

    one: str
    other: str
    similarity: float


@dataclass(frozen=True, slots=True)
class GoldReport:
    """What was found in a gold set.

    Attributes:
        balance: split -> label -> how many; for a verdict accepted, and each criterion not met.
        close: pairs across splits that are alike but not the same, most alike first.
        problems: each a sentence; a set with any is not to be used.
    """

    step: str
    sha256: str
    counts: dict[str, int]
    balance: dict[str, dict[str, int]]
    licenses: dict[str, int]
    close: tuple[ClosePair, ...]
    problems: tuple[str, ...]

    def require(self) -> None:
        """Raises:
        UserError: the set has problems; the text names them all.
        """
        if self.problems:
            raise UserError(self.refusal)

    @property
    def refusal(self) -> str:
        """Why the set cannot be used, a problem a line."""
        return "\n  ".join((f"The gold set of {self.step} cannot be used:", *self.problems))


def check_gold(gold: GoldSet, benchmarks: Benchmarks | None = None) -> GoldReport:
    """What is wrong with a gold set, if anything, and what is in it.

    Raises:
        SourceError: a benchmark file cannot be read.
        UserError: the set is of an unknown step.
    """
    step = gold_step(gold.step)
    problems = [*_malformed(step, gold)]
    close: list[ClosePair] = []
    if not problems:
        problems += [*_sizes(step, gold), *_one_class(step, gold)]
        same, close = _repeats(step, gold)
        problems += [*same, *_leaks(step, gold, benchmarks)]
    return GoldReport(
        step=gold.step,
        sha256=gold.sha256,
        counts={split: len(gold.split(split)) for split in SPLITS},
        balance={split: _balance(step, gold.split(split)) for split in SPLITS},
        licenses=dict(sorted(Counter(item.license for item in gold.items).items())),
        close=tuple(close),
        problems=tuple(problems),
    )


def _malformed(step: GoldStep, gold: GoldSet) -> Iterator[str]:
    if not gold.items:
        yield "It holds no item."
    for name, count in Counter(item.id for item in gold.items).items():
        if count > 1:
            yield f"{name}: {count} items have this id; each needs its own."
    for item in gold.items:
        for what, needed, have in (
            ("input", step.inputs, item.inputs),
            ("label", step.labels, item.labels),
        ):
            missing = [field for field in needed if field not in have]
            if missing:
                yield f"{item.id}: the {what} {', '.join(missing)} is missing."
                break
        else:
            if fault := label_fault(step, item):
                yield f"{item.id}: {fault}"


def _sizes(step: GoldStep, gold: GoldSet) -> Iterator[str]:
    for split, least in zip(SPLITS, step.least, strict=True):
        count = len(gold.split(split))
        if count < least:
            yield f"{split}: {count} items; at least {least} are needed."


def _one_class(step: GoldStep, gold: GoldSet) -> Iterator[str]:
    if step.scoring not in ("category", "verdict"):
        return
    for split in SPLITS:
        labels = {label_of(step, item) for item in gold.split(split)}
        if len(labels) == 1:
            yield f"{split}: every item is labelled {labels.pop()!r}; two labels are needed."


def _repeats(step: GoldStep, gold: GoldSet) -> tuple[list[str], list[ClosePair]]:
    """Items that stand in two splits, and pairs that are merely close."""
    from synth_dspy.dataset.minhash import grams, jaccard, normal_text
    from synth_dspy.dataset.near_batch import near_links

    texts = [compared_text(step, item) for item in gold.items]
    # Of many alike items not every pair is linked, but a chain of links that leads from one split
    # to another has a link between two.
    near = sorted(near_links(texts, _CLOSE))
    shingles = {i: grams(normal_text(texts[i])) for pair in near for i in pair}
    problems, close = [], []
    for i, j in near:
        one, other = gold.items[i], gold.items[j]
        if one.split == other.split:
            continue
        similarity = jaccard(shingles[i], shingles[j])
        if similarity >= NEAR:
            problems.append(
                f"{one.id} ({one.split}) and {other.id} ({other.split}) are the same example "
                f"({similarity:.2f} alike): keep one, or put both into one split."
            )
        else:
            close.append(ClosePair(one.id, other.id, round(similarity, 4)))
    close.sort(key=lambda pair: (-pair.similarity, pair.one, pair.other))
    return problems, close[:_SHOWN]


def _leaks(step: GoldStep, gold: GoldSet, benchmarks: Benchmarks | None) -> Iterator[str]:
    if benchmarks is None or not benchmarks.paths:
        return
    for item in gold.items:
        programs = [str(item.labels["program"])] if step.scoring == "tests" else []
        text = "\n".join(str(value) for value in (*item.inputs.values(), *item.labels.values()))
        for hit in benchmarks.decontaminator.text_hits(item.id, text, programs):
            yield (
                f"{item.id} repeats {hit.item} of the benchmark {hit.benchmark} "
                f"({hit.layer}, {hit.overlap:.2f}): a prompt compiled on it has seen the exam."
            )


def _balance(step: GoldStep, items: Sequence[GoldItem]) -> dict[str, int]:
    tally: Counter[str] = Counter()
    for item in items:
        tally[label_of(step, item)] += 1
        tally.update(f"not {name}" for name in step.criteria if item.labels.get(name) is False)
    return dict(sorted(tally.items()))


def compared_text(step: GoldStep, item: GoldItem) -> str:
    """What two items are compared by: the text that makes them the same example."""
    fields: dict[str, Any] = {**item.inputs, **item.labels}
    return "\n".join(str(fields[name]) for name in step.compared if name in fields)
