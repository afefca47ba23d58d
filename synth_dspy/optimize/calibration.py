"""How far a judge agrees with gold: agreement, kappa, the confusion table, the worst disagreements.

Gold items and the judge's replies enter, in the same order; a `Calibration` leaves, which a run's
dataset card quotes. Nobody is asked here: `asking.py` does that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold_labels import ACCEPT, REJECT, label_of
from synth_dspy.optimize.metrics import metric_for, truth
from synth_dspy.optimize.metrics_whole import agreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth_dspy.optimize.gold_records import GoldItem, SplitName
    from synth_dspy.optimize.gold_steps import GoldStep

_WORST = 10
_ROUND = 4


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judged.

    Attributes:
        model: its name; program: hash of the compiled program, "" for the prompt as written.
        prompt_sha: hash of instructions, fields and worked examples.
    """

    model: str
    program: str
    prompt_sha: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which gold and the judge differ.

    Attributes:
        wanted: gold's verdict; said: the judge's. wrong: criteria that differ.
        feedback: what the metric says; reason: the judge's own words.
    """

    id: str
    wanted: str
    said: str
    wrong: tuple[str, ...]
    feedback: str
    reason: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured.

    Attributes:
        step: of the Program, as `prompts.<step>` names it. split: of gold; gold_sha256: its hash.
        agreement, kappa: of the verdict. confusion: true_accepted, false_accepted, true_rejected
            and false_rejected, `true` where gold says the same.
        criteria: by criterion, agreement and kappa.
        unreadable: replies that could not be read; they count as rejections.
        worst: disagreements on the verdict, those with the most criteria wrong first.
    """

    step: str
    model: str
    program: str
    prompt_sha: str
    gold_sha256: str
    split: SplitName
    n: int
    agreement: float
    kappa: float
    confusion: dict[str, int]
    criteria: dict[str, dict[str, float]]
    unreadable: int
    worst: tuple[Disagreement, ...]


def calibrate(
    step: GoldStep,
    items: Sequence[GoldItem],
    replies: Sequence[Mapping[str, Any] | None],
    *,
    judge: Judge,
    split: SplitName,
    gold_sha256: str,
) -> Calibration:
    """Compare a judge's replies with gold; None stands for a reply that could not be read.

    Raises:
        UserError: the step is no judge, or there is nothing to compare.
        ValueError: there are more or fewer replies than items.
    """
    if step.scoring != "verdict":
        raise UserError(f"{step.name} is no judge: there is nothing to calibrate.")
    if not items:
        raise UserError(f"The gold set of {step.name} has no item in {split}.")
    wanted = [label_of(step, item) for item in items]
    said = [_verdict(step, reply) for reply in replies]
    both = agreement(wanted, said)
    return Calibration(
        step=step.predictor,
        model=judge.model,
        program=judge.program,
        prompt_sha=judge.prompt_sha,
        gold_sha256=gold_sha256,
        split=split,
        n=both.n,
        agreement=round(both.agreement, _ROUND),
        kappa=round(both.kappa, _ROUND),
        confusion=_confusion(wanted, said),
        criteria={name: _criterion(name, items, replies) for name in step.criteria},
        unreadable=sum(reply is None for reply in replies),
        worst=_worst(step, items, replies),
    )


def _verdict(step: GoldStep, reply: Mapping[str, Any] | None) -> str:
    met = reply is not None and all(truth(reply.get(name)) is True for name in step.criteria)
    return ACCEPT if met else REJECT


def _confusion(wanted: Sequence[str], said: Sequence[str]) -> dict[str, int]:
    pairs = Counter(zip(wanted, said, strict=True))
    return {
        "true_accepted": pairs[ACCEPT, ACCEPT],
        "false_accepted": pairs[REJECT, ACCEPT],
        "true_rejected": pairs[REJECT, REJECT],
        "false_rejected": pairs[ACCEPT, REJECT],
    }


def _criterion(
    name: str, items: Sequence[GoldItem], replies: Sequence[Mapping[str, Any] | None]
) -> dict[str, float]:
    both = agreement(
        [str(bool(item.labels[name])) for item in items],
        [str(reply is not None and truth(reply.get(name)) is True) for reply in replies],
    )
    return {"agreement": round(both.agreement, _ROUND), "kappa": round(both.kappa, _ROUND)}


def _worst(
    step: GoldStep, items: Sequence[GoldItem], replies: Sequence[Mapping[str, Any] | None]
) -> tuple[Disagreement, ...]:
    metric = metric_for(step.name)
    found = []
    for item, reply in zip(items, replies, strict=True):
        wanted, said = label_of(step, item), _verdict(step, reply)
        if wanted == said:
            continue
        heard = reply or {}
        score = metric({**item.inputs, **item.labels}, heard)
        wrong = tuple(
            name for name in step.criteria if truth(heard.get(name)) is not item.labels[name]
        )
        reason = str(heard.get("reason", ""))
        found.append(Disagreement(item.id, wanted, said, wrong, score.feedback, reason))
    found.sort(key=lambda one: (-len(one.wrong), one.id))
    return tuple(found[:_WORST])
