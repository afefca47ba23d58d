"""Repeats among rows: exact ones, near ones, and those that only seem to be."""

from __future__ import annotations

import random

import pytest

from synth_dspy.dataset.row_index import RowIndex

LONG = "The gauge at the old bridge measures the level of the river four times in every hour"


def index(*rows: tuple[str, ...], cell: str = "") -> RowIndex:
    known = RowIndex(0.85)
    for row in rows:
        known.add(row, cell)
    return known


def test_case_and_white_space_make_no_new_row() -> None:
    assert index(("A dog", "runs")).repeat_of(["a  DOG", "runs "]) == "duplicate"


def test_the_same_texts_in_another_cell_are_a_repeat_still() -> None:
    known = index(("A dog", "runs"), cell="entailment")
    assert known.repeat_of(["A dog", "runs"], "contradiction") == "duplicate"


def test_rows_whose_every_text_is_nearly_the_same_are_near_duplicates() -> None:
    known = index((LONG + ".", LONG + " of the day."))
    assert known.repeat_of([LONG + "!", LONG + " of the days."]) == "near_duplicate"


def test_rows_that_share_a_premise_are_two_rows() -> None:
    known = index((LONG, "A gauge stands at a bridge."))
    assert known.repeat_of([LONG, "Nobody ever looks at the water."]) is None


def test_near_texts_with_another_label_are_two_rows() -> None:
    known = index((LONG, LONG + " of a day"), cell="entailment")
    assert known.repeat_of([LONG, LONG + " of no day"], "contradiction") is None


def test_texts_that_only_change_places_are_two_rows() -> None:
    assert index(("a b c d e f", "g h i j k l")).repeat_of(["g h i j k l", "a b c d e f"]) is None


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_repeats_that_comparing_all_pairs_finds(seed: int) -> None:
    chance = random.Random(seed)
    words = [f"w{n}ord" for n in range(40)]
    known, found = RowIndex(0.85), 0
    rows: list[list[str]] = []
    for _ in range(150):
        if rows and chance.random() < 0.4:
            row = [text.replace("1", "9", 1) for text in chance.choice(rows)]
        else:
            row = [" ".join(chance.choices(words, k=25)) for _ in range(2)]
        found += known.repeat_of(row) is not None
        known.add(row)
        rows.append(row)
    assert found == _all_pairs(rows)


def _all_pairs(rows: list[list[str]]) -> int:
    from synth_dspy.dataset.minhash import grams, jaccard, normal_text

    def alike(a: str, b: str) -> bool:
        return jaccard(grams(normal_text(a)), grams(normal_text(b))) >= 0.85

    return sum(
        any(all(map(alike, row, other)) for other in rows[:at]) for at, row in enumerate(rows)
    )
