"""What `check_gold` refuses, each in one sentence, and what it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.errors import UserError
from synth_dspy.optimize.gold import GoldItem, check_gold, gold_set, load_gold
from tests.optimize.made_gold import gold, items


def problems(made: list[GoldItem], step: str = "classify") -> str:
    return "\n".join(check_gold(gold_set(step, made)).problems)


def test_a_good_set_has_no_problem() -> None:
    assert problems(items()) == ""
    assert problems(items("judge"), "judge") == ""


def test_labels_are_counted_by_split() -> None:
    report = check_gold(gold())
    assert report.counts == {"train": 8, "validation": 8, "heldout": 20}
    assert report.balance["heldout"] == {"rivers": 10, "stars": 10}


def test_a_judges_unmet_criteria_are_counted() -> None:
    assert check_gold(gold("judge")).balance["train"] == {
        "accept": 4, "not correct": 4, "reject": 4,
    }  # fmt: skip


def test_an_empty_set_is_refused() -> None:
    assert problems([]) == "It holds no item."


def test_one_class_only_is_refused() -> None:
    made = [replace(item, labels={"category": "stars"}) for item in items()]
    assert "train: every item is labelled 'stars'; two labels are needed." in problems(made)


def test_an_unknown_label_is_refused() -> None:
    found = check_gold(gold(labels={"category": "planets"})).problems
    assert found == ("c-0: the label 'planets' is unknown; its categories are rivers, stars.",)


def test_a_criterion_that_is_no_yes_or_no_is_refused() -> None:
    labels = {**items("judge")[0].labels, "grounded": "yes"}
    found = check_gold(gold("judge", labels=labels)).problems
    assert found == ("j-0: grounded is 'yes'; a criterion is true or false.",)


def test_a_verdict_without_a_reason_is_refused() -> None:
    labels = {**items("judge")[0].labels, "reason": " "}
    assert check_gold(gold("judge", labels=labels)).problems == ("j-0: the label reason is empty.",)


def test_a_missing_field_is_refused() -> None:
    assert (
        "c-0: the input answer, heading, categories is missing."
        in check_gold(gold(inputs={"question": "?"})).problems
    )
    assert "c-0: the label category is missing." in check_gold(gold(labels={"x": 1})).problems


def test_two_items_of_one_id_are_refused() -> None:
    made = items()
    made[1] = replace(made[1], id="c-0")
    assert "c-0: 2 items have this id" in problems(made)


def test_a_split_that_is_too_small_is_refused() -> None:
    assert "heldout: 19 items; at least 20 are needed." in problems(items()[:-1])


def test_a_duplicate_across_splits_is_refused() -> None:
    made = items()
    made[-1] = replace(made[-1], inputs=made[0].inputs)
    assert "c-0 (train) and c-35 (heldout) are the same example (1.00 alike)" in problems(made)


def test_a_near_duplicate_across_splits_is_refused() -> None:
    made = items()
    text = "Why does a river carry more sand after a storm than it did on the quiet day before it"
    made[0] = replace(made[0], inputs={**made[0].inputs, "question": f"{text}?", "answer": ""})
    made[-1] = replace(made[-1], inputs={**made[0].inputs, "question": f"{text}, then?"})
    assert "c-0 (train) and c-35 (heldout) are the same example" in problems(made)


def test_a_duplicate_within_a_split_is_no_leak() -> None:
    made = items()
    made[-1] = replace(made[-1], inputs=made[-3].inputs)
    assert problems(made) == ""


def test_items_that_are_merely_alike_are_shown() -> None:
    made = items()
    text = "Why does a river carry more sand after a storm than on a quiet day"
    made[0] = replace(made[0], inputs={**made[0].inputs, "question": text, "answer": ""})
    other = {**made[0].inputs, "question": f"{text} in early spring?"}
    made[-1] = replace(made[-1], inputs=other)
    report = check_gold(gold_set("classify", made))
    assert report.problems == ()
    assert [(pair.one, pair.other) for pair in report.close] == [("c-0", "c-35")]


def test_an_item_of_a_benchmark_is_refused(tmp_path: Path) -> None:
    exam = (
        "Write a function that tells whether in a given list of numbers any two are closer to "
        "each other than a given threshold allows them to be."
    )
    benchmark = tmp_path / "exam.jsonl"
    benchmark.write_bytes(orjson.dumps({"task_id": "e/1", "prompt": exam}))
    inputs = {**items()[0].inputs, "question": f"Please: {exam}"}
    found = check_gold(gold(inputs=inputs), Benchmarks((benchmark,))).problems
    assert len(found) == 1
    assert found[0].startswith("c-0 repeats e/1 of the benchmark exam (words, 1.00)")


def test_a_program_of_a_benchmark_is_refused(tmp_path: Path) -> None:
    found = load_gold("answer")
    program = found.items[0].labels["program"]
    benchmark = tmp_path / "exam.jsonl"
    record: dict[str, Any] = {"task_id": "e/2", "prompt": "Other words.", "solution": program}
    benchmark.write_bytes(orjson.dumps(record))
    said = check_gold(found, Benchmarks((benchmark,))).problems
    assert any(
        line.startswith(f"{found.items[0].id} repeats e/2 of the benchmark exam (code")
        for line in said
    )


def test_code_that_does_not_parse_is_refused() -> None:
    first = load_gold("answer").items[0]
    for name, code, said in (
        ("program", "def f(:", "program is not Python"),
        ("test_code", "assert True", "test_code does not define check(candidate)."),
    ):
        bad = replace(first, labels={**first.labels, name: code})
        assert any(
            line.startswith(f"{first.id}: {said}")
            for line in check_gold(gold_set("answer", [bad])).problems
        )


def test_a_question_that_is_neither_possible_nor_not_is_refused() -> None:
    first = load_gold("question").items[0]
    bad = replace(first, labels={**first.labels, "possible": "maybe"})
    assert check_gold(gold_set("question", [bad])).problems == (
        f"{first.id}: possible is 'maybe'; it is true or false.",
    )


def test_a_set_with_problems_may_not_be_used() -> None:
    with pytest.raises(UserError, match="gold set of classify cannot be used:\n  It holds no item"):
        check_gold(gold_set("classify", [])).require()


def test_a_category_list_that_is_none_is_refused() -> None:
    inputs = {**items()[0].inputs, "categories": "rivers"}
    assert check_gold(gold(inputs=inputs)).problems == (
        "c-0: categories must be a list of `name: description`.",
    )
