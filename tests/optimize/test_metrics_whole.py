"""Accuracy, macro-F1 and kappa of many replies."""

from __future__ import annotations

import pytest

from synth_dspy.optimize.metrics_whole import accuracy, agreement, class_scores, macro_f1


def test_accuracy_is_the_share_of_equal_labels() -> None:
    assert accuracy(["a", "b", "b", "c"], ["a", "b", "c", "c"]) == 0.75
    assert accuracy([], []) == 0.0


def test_macro_f1_counts_a_rare_label_as_much_as_a_common_one() -> None:
    gold, said = ["a"] * 9 + ["b"], ["a"] * 10
    assert accuracy(gold, said) == 0.9
    assert macro_f1(gold, said) == pytest.approx((18 / 19 + 0) / 2)
    assert macro_f1([], []) == 0.0


def test_class_scores_have_a_row_for_each_label_of_gold() -> None:
    found = class_scores(["a", "a", "b"], ["a", "b", "z"])
    assert [(s.label, s.precision, s.recall, s.support) for s in found] == [
        ("a", 1.0, 0.5, 2), ("b", 0.0, 0.0, 1),
    ]  # fmt: skip


def test_kappa_is_one_for_equal_labels_and_zero_for_chance() -> None:
    assert agreement(["a", "b"], ["a", "b"]).kappa == 1.0
    assert agreement(["a", "a", "b", "b"], ["a", "b", "a", "b"]).kappa == 0.0


def test_kappa_is_cohens_own_example() -> None:
    # Two doctors, 50 patients: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no; expected 0.4.
    gold = ["yes"] * 25 + ["no"] * 25
    said = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert agreement(gold, said).kappa == pytest.approx(0.4)


def test_a_judge_that_always_says_the_same_has_kappa_zero() -> None:
    found = agreement(["a", "a", "b"], ["a", "a", "a"])
    assert found.kappa == 0.0
    assert found.agreement == pytest.approx(2 / 3)
    assert agreement(["a", "a"], ["a", "a"]).kappa == 0.0


def test_the_confusion_table_has_every_pair() -> None:
    table = agreement(["a", "b", "b"], ["a", "a", "b"]).confusion
    assert table == {"a": {"a": 1, "b": 0}, "b": {"a": 1, "b": 1}}


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="0 labels of gold and 0 of the judge"):
        agreement([], [])
