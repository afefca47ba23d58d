"""A reply's row is held to its format: what is coerced, what is not, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from synth_dspy.programs.row_formats import BINS, FORMATS, LABELS, brief_of

NLI = {"premise": "A dog runs.", "hypothesis": "An animal moves.", "label": 0}
SCORED = {"sentence1": "A dog runs.", "sentence2": "A cat sits.", "score": 0.3}
TRIPLET = {"anchor": "dogs", "positive": "Dogs run.", "negative": "Cats sit."}
QA = {"context": "Dogs run.", "question": "What do dogs do?", "answer": "They run."}


@pytest.mark.parametrize(
    ("name", "row"),
    [("pair-class", NLI), ("pair-score", SCORED), ("triplet", TRIPLET), ("qa", QA),
     ("pair", {"anchor": "dogs", "positive": "Dogs run."})],
)  # fmt: skip
def test_a_row_of_each_format_is_taken_as_it_is(name: str, row: dict[str, Any]) -> None:
    assert FORMATS[name].validated(row) == (row, "", ())


def test_a_whole_number_is_taken_for_a_score() -> None:
    row, problem, _ = FORMATS["pair-score"].validated({**SCORED, "score": 1})
    assert (row["score"], problem) == (1.0, "")


@pytest.mark.parametrize("said", ["contradiction", "Contradiction ", 2.0])
def test_a_label_is_taken_by_its_name_or_as_a_whole_float(said: object) -> None:
    row, problem, _ = FORMATS["pair-class"].validated({**NLI, "label": said})
    assert (row["label"], problem) == (2, "")


@pytest.mark.parametrize("score", ["0.5", True, 1.5, None, [0.5]])
def test_a_score_that_would_have_to_be_guessed_is_refused(score: object) -> None:
    _, problem, _ = FORMATS["pair-score"].validated({**SCORED, "score": score})
    assert problem.startswith("score: ")


@pytest.mark.parametrize("label", [3, 0.5, "maybe", True])
def test_a_label_that_is_none_is_refused(label: object) -> None:
    _, problem, _ = FORMATS["pair-class"].validated({**NLI, "label": label})
    assert problem.startswith("label: ")


def test_an_empty_text_is_refused() -> None:
    _, problem, _ = FORMATS["triplet"].validated({**TRIPLET, "negative": "  "})
    assert problem.startswith("negative: ")


def test_a_field_that_is_missing_is_named() -> None:
    _, problem, _ = FORMATS["qa"].validated({"context": "a", "question": "b"})
    assert problem.startswith("answer: Field required")


def test_fields_besides_the_formats_are_left_out_and_named() -> None:
    row, problem, extra = FORMATS["triplet"].validated({**TRIPLET, "why": "so", "id": 3})
    assert (row, problem, extra) == (TRIPLET, "", ("id", "why"))


def test_a_negative_that_is_the_positive_is_refused() -> None:
    _, problem, _ = FORMATS["triplet"].validated({**TRIPLET, "negative": "dogs RUN."})
    assert problem == "anchor and positive and negative must differ"


@pytest.mark.parametrize("value", ["a text", 3, ["a"], None])
def test_what_is_no_object_is_refused(value: object) -> None:
    row, problem, _ = FORMATS["qa"].validated(value)
    assert row == {}
    assert problem.startswith("a row is an object, and this is")


def test_half_a_surrogate_pair_is_refused_and_not_raised() -> None:
    _, problem, _ = FORMATS["qa"].validated({**QA, "answer": "\ud800"})
    assert problem.startswith("not JSON")


def test_every_score_falls_into_one_of_the_ranges() -> None:
    cells = {FORMATS["pair-score"].cell_of({"score": at / 100}) for at in range(101)}
    assert cells == set(BINS)


def test_labels_are_written_by_name_for_judges() -> None:
    assert FORMATS["pair-class"].written(NLI).endswith(f"label: {LABELS[0]}")


def test_the_brief_of_a_row_is_its_texts_in_a_line() -> None:
    assert brief_of({"a": "one", "n": 3, "b": "two"}) == "one | two"
