"""How a judge is held against gold: figures, disagreements, and a judge that is really asked."""

from __future__ import annotations

import asyncio
from typing import Any

import dspy
import pytest

from signatures.judge import JudgeSample
from synth_dspy.errors import EndpointError, ReplyError, UserError
from synth_dspy.lm.adapter import SynthAdapter
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.optimize.asking import ask_all
from synth_dspy.optimize.calibration import Calibration, Judge, calibrate
from synth_dspy.optimize.gold import gold_step, load_gold
from synth_dspy.programs.program import prompt_sha
from tests.lm.offline.asking import Refusing
from tests.optimize.made_gold import judge_item

JUDGE = Judge("a-model", "", "00")
STEP = gold_step("judge")
YES: dict[str, Any] = {**dict.fromkeys(STEP.criteria, True), "reason": "Fine."}
NO: dict[str, Any] = {**YES, "correct": False, "reason": "Not correct."}
# Gold: two to accept, two to reject.
ITEMS = [
    judge_item(0, "heldout"),
    judge_item(1, "heldout"),
    judge_item(2, "heldout", correct=False),
    judge_item(3, "heldout", correct=False, grounded=False),
]


def found(*replies: dict[str, Any] | None) -> Calibration:
    return calibrate(STEP, ITEMS, replies, judge=JUDGE, split="heldout", gold_sha256="ab")


def test_a_judge_that_is_always_right_agrees_wholly() -> None:
    right = found(YES, YES, NO, {**NO, "grounded": False})
    assert (right.n, right.agreement, right.kappa, right.worst) == (4, 1.0, 1.0, ())


def test_the_confusion_table_tells_wrong_acceptance_from_wrong_rejection() -> None:
    assert found(YES, NO, NO, YES).confusion == {
        "true_accepted": 1, "false_accepted": 1, "true_rejected": 1, "false_rejected": 1,
    }  # fmt: skip


def test_a_judge_that_accepts_everything_has_kappa_zero() -> None:
    blind = found(YES, YES, YES, YES)
    assert (blind.agreement, blind.kappa) == (0.5, 0.0)


def test_every_criterion_has_its_own_figures() -> None:
    criteria = found(YES, YES, NO, NO).criteria
    assert criteria["correct"] == {"agreement": 1.0, "kappa": 1.0}
    assert criteria["grounded"] == {"agreement": 0.75, "kappa": 0.0}


def test_the_worst_disagreement_comes_first_with_both_reasons() -> None:
    worst = found(YES, NO, YES, YES).worst
    assert [one.id for one in worst] == ["j-3", "j-1", "j-2"]
    assert worst[0].wrong == ("correct", "grounded")
    assert (worst[0].wanted, worst[0].said, worst[0].reason) == ("reject", "accept", "Fine.")
    assert "grounded should be False" in worst[0].feedback


def test_a_reply_that_could_not_be_read_is_a_rejection_and_is_counted() -> None:
    unread = found(None, YES, NO, None)
    assert (unread.unreadable, unread.confusion["false_rejected"]) == (2, 1)


def test_a_step_that_is_no_judge_cannot_be_calibrated() -> None:
    with pytest.raises(UserError, match="classify is no judge"):
        calibrate(
            gold_step("classify"), [], [], judge=JUDGE, split="heldout", gold_sha256=""
        )  # fmt: skip


def test_a_split_without_items_cannot_be_calibrated_on() -> None:
    with pytest.raises(UserError, match="judge has no item in train"):
        calibrate(STEP, [], [], judge=JUDGE, split="train", gold_sha256="")


def offline() -> dspy.LM:
    return dspy.LM("offline", engine=Refusing(), async_engine=OfflineModel(), cache=False)


def test_the_offline_judge_agrees_more_when_it_is_shown_examples() -> None:
    gold = load_gold("judge")
    items = gold.split("heldout")[::2]
    plain = dspy.Predict(JudgeSample)
    shown = dspy.Predict(JudgeSample)
    shown.demos = gold.examples("train")

    async def both() -> list[Calibration]:
        return [
            calibrate(
                STEP, items, await ask_all(p, items, at_once=8),
                judge=Judge("offline", "", prompt_sha(p)), split="heldout",
                gold_sha256=gold.sha256,
            )
            for p in (plain, shown)
        ]  # fmt: skip

    with dspy.context(lm=offline(), adapter=SynthAdapter()):
        before, after = asyncio.run(both())
    assert after.kappa > before.kappa + 0.1
    assert before.prompt_sha != after.prompt_sha


class Silent(dspy.Predict):
    """Asks nobody: every reply is unreadable."""

    async def acall(self, **inputs: Any) -> dspy.Prediction:
        raise ReplyError("unreadable", "no field")


def test_an_unreadable_reply_does_not_end_the_asking() -> None:
    replies = asyncio.run(ask_all(Silent(JudgeSample), ITEMS, at_once=2))
    assert replies == [None, None, None, None]


class Dead(dspy.Predict):
    """An endpoint that is gone."""

    asked = 0

    async def acall(self, **inputs: Any) -> dspy.Prediction:
        self.asked += 1
        await asyncio.sleep(0)
        raise EndpointError("unreachable", "connection refused")


def test_an_endpoint_that_is_gone_ends_the_asking_at_once() -> None:
    dead = Dead(JudgeSample)
    with pytest.raises(EndpointError, match="connection refused"):
        asyncio.run(ask_all(dead, ITEMS * 50, at_once=2))
    assert dead.asked <= 4
