"""Scores of single replies, and what their feedback tells an optimizer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold import GOLD_STEPS, gold_step, load_gold
from synth_dspy.optimize.metrics import metric_for

CLASSIFY = {"category": "stars", "categories": ["rivers: that flow", "stars: that shine"]}
CRITERIA = gold_step("judge").criteria
GOOD: dict[str, Any] = dict.fromkeys(CRITERIA, True)
TESTED = {"entry_point": "area"}


def test_the_right_category_scores_one() -> None:
    assert metric_for("classify")(CLASSIFY, {"category": " Stars "}).value == 1.0


def test_a_wrong_category_scores_nothing_and_the_right_one_is_described() -> None:
    score = metric_for("classify")(CLASSIFY, {"category": "rivers"})
    assert score.value == 0.0
    assert "the category is stars, not rivers. stars is for: that shine" in score.feedback


def test_a_category_that_is_not_listed_is_told_to_be_none() -> None:
    score = metric_for("classify")(CLASSIFY, {"category": "moons"})
    assert score.value == 0.0
    assert "'moons' is no category of the list" in score.feedback


def test_a_verdict_that_is_right_in_all_scores_one() -> None:
    assert metric_for("judge")({**GOOD, "reason": ""}, GOOD).value == 1.0


def test_a_wrong_verdict_loses_half_and_the_share_of_its_criteria() -> None:
    score = metric_for("judge")({**GOOD, "reason": "It is wrong."} | {"correct": False}, GOOD)
    assert score.value == pytest.approx(0.5 * 4 / 5)
    assert "It must be rejected, not accepted: correct should be False" in score.feedback
    assert score.feedback.endswith("It is wrong.")


def test_a_right_verdict_for_another_reason_keeps_half_and_more() -> None:
    score = metric_for("judge")(GOOD | {"correct": False}, GOOD | {"complete": False})
    assert score.value == pytest.approx(0.5 + 0.5 * 3 / 5)
    assert score.feedback.startswith("The verdict is right all the same")


def test_a_criterion_without_yes_or_no_counts_as_wrong_on_both_sides() -> None:
    for wanted in (True, False):
        score = metric_for("judge")(GOOD | {"correct": wanted}, GOOD | {"correct": "perhaps"})
        assert "the reply has no yes or no there" in score.feedback
        assert score.value < 1


def test_a_yes_in_words_is_a_yes() -> None:
    assert metric_for("judge")(GOOD, dict.fromkeys(CRITERIA, "True")).value == 1.0


def test_a_program_that_fails_scores_nothing_and_the_report_is_told() -> None:
    reply = {"passed": False, "message": "area(2) was 3", "attempts": 7}
    score = metric_for("answer")(TESTED, reply)
    assert score.value == 0.0
    assert "`area` does not pass its test after 7 attempt(s): area(2) was 3" in score.feedback


def test_passing_at_once_with_every_mutant_killed_scores_one() -> None:
    reply = {"passed": True, "attempts": 1, "mutants_run": 9, "mutants_killed": 9}
    assert metric_for("answer")(TESTED, reply).value == pytest.approx(1.0)


def test_passing_late_and_with_surviving_mutants_scores_less() -> None:
    late = metric_for("answer")(TESTED, {"passed": True, "attempts": 2})
    weak = metric_for("answer")(
        TESTED, {"passed": True, "attempts": 1, "mutants_run": 10, "mutants_killed": 4}
    )
    assert late.value == pytest.approx(0.9)
    assert "only after 2 attempts" in late.feedback
    assert weak.value == pytest.approx(0.94)
    assert "6 of 10 mutants of it pass, too" in weak.feedback


QUESTION: dict[str, Any] = {
    "possible": True,
    "passage": "The gauge's float sits in a stilling well, which damps the waves of the harbour.",
    "about": ["gauge", "well"],
    "must_not": ["damps the waves"],
}


def asked(question: str, possible: Any = True) -> tuple[float, str]:
    score = metric_for("question")(QUESTION, {"possible": possible, "question": question})
    return score.value, score.feedback


def test_a_good_question_scores_one() -> None:
    assert asked("Why does the float of a harbour's gauge sit in a well?")[0] == 1.0


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Why does the gauge's float sit in a well", "one `?`"),
        ("The well?", "3 to 60 words"),
        ("What does the passage say of the gauge's float?", "must not speak of the text"),
        ("Why does the harbour have waves at the float?", "must be about what the passage teaches"),
        ("Is it true that a stilling well damps the waves?", "must not hold 'damps the waves'"),
        ("Which colour has the pressure gauge inside locomotive boilers?", "Too few of its words"),
    ],
)
def test_a_fault_of_a_question_costs_a_sixth_and_is_named(question: str, said: str) -> None:
    value, feedback = asked(question)
    assert value == pytest.approx(5 / 6)
    assert said in feedback


def test_a_question_that_is_not_asked_though_it_could_be_scores_nothing() -> None:
    assert asked("", possible=False) == (
        0.0, "`possible` should be True: a question can be written on it.",
    )  # fmt: skip


def test_not_asking_where_nothing_can_be_asked_scores_one() -> None:
    example = {"possible": False, "passage": "Home | Imprint"}
    assert metric_for("question")(example, {"possible": "False"}).value == 1.0
    assert metric_for("question")(example, {"possible": True, "question": "Who?"}).value == 0.0


@pytest.mark.parametrize("step", GOLD_STEPS, ids=lambda step: step.name)
def test_golds_own_labels_score_one(step: Any) -> None:
    metric = metric_for(step.name)
    for item in load_gold(step.name).items:
        reply = {"passed": True, **item.labels}
        assert metric({**item.inputs, **item.labels}, reply).value == pytest.approx(1.0), item.id


replies = st.dictionaries(
    st.sampled_from([*CRITERIA, "category", "question", "possible", "passed", "message", "reason"]),
    st.one_of(st.booleans(), st.text(max_size=30), st.none()),
)


@given(reply=replies)
@pytest.mark.parametrize(
    ("step", "example"),
    [("classify", CLASSIFY), ("judge", GOOD), ("answer", TESTED), ("question", QUESTION)],
)
def test_any_reply_has_a_score_from_zero_to_one_and_feedback(
    step: str, example: dict[str, Any], reply: dict[str, Any]
) -> None:
    score = metric_for(step)(example, reply)
    assert 0.0 <= score.value <= 1.0
    assert score.feedback


def test_a_step_without_gold_has_no_metric() -> None:
    with pytest.raises(UserError, match="no gold for a step 'parse'"):
        metric_for("parse")
