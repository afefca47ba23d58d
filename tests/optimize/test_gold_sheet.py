"""The review sheet: what people see, what a spreadsheet may not run, and what comes back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold import GoldItem, gold_step, load_gold
from synth_dspy.optimize.gold_sheet import merged, read_sheet, write_sheet
from tests.optimize.made_gold import classify_item, judge_item

JUDGE, CLASSIFY = gold_step("judge"), gold_step("classify")


def blank(item: GoldItem) -> GoldItem:
    return replace(item, labels={})


def labelled(item: GoldItem, **cells: str) -> str:
    """The sheet of one item with labels filled in, by name."""
    (row,) = csv.DictReader(io.StringIO(write_sheet(JUDGE, [blank(item)]), newline=""))
    row |= {f"label: {name}": value for name, value in cells.items()}
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


YES = dict.fromkeys(JUDGE.criteria, "TRUE")


def read_one(text: str) -> GoldItem:
    ((item,), _) = read_sheet(JUDGE, text, "s.csv")
    return item


def test_a_sheet_has_empty_columns_for_every_label() -> None:
    (row,) = csv.DictReader(io.StringIO(write_sheet(JUDGE, [blank(judge_item(1, "train"))])))
    assert [row[f"label: {name}"] for name in JUDGE.labels] == [""] * 6
    assert row["question"] == "What is basin?"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_begins_a_formula(start: str) -> None:
    item = judge_item(1, "train")
    item = replace(
        item, source=f"{start}1+1", inputs={**item.inputs, "answer": f"{start}cmd|' /C calc'!A0"}
    )
    rows = list(csv.reader(io.StringIO(write_sheet(JUDGE, [blank(item)]), newline="")))
    assert not [cell for row in rows for cell in row if cell.startswith(start)]


@given(answer=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_is_written_is_read_back(answer: str) -> None:
    item = judge_item(1, "train")
    item = replace(item, inputs={**item.inputs, "answer": answer})
    assert read_one(labelled(item, **YES)).inputs == item.inputs


@pytest.mark.parametrize("answer", ["[1, 2]", "null", '"quoted"', "[broken", "'=1", "''", "{}"])
def test_text_that_looks_like_something_else_stays_text(answer: str) -> None:
    item = judge_item(1, "train")
    item = replace(item, inputs={**item.inputs, "answer": answer})
    assert read_one(labelled(item, **YES)).inputs == item.inputs


def test_lists_come_back_as_lists() -> None:
    item = classify_item(3, "train", "stars")
    text = write_sheet(CLASSIFY, [blank(item)]).replace(",,made", ",stars,made")
    ((found,), _) = read_sheet(CLASSIFY, text, "s.csv")
    assert (found.inputs, found.labels) == (item.inputs, {"category": "stars"})


def test_labels_are_read_as_yes_and_no_and_a_reason_is_made_where_there_is_none() -> None:
    found = read_one(labelled(judge_item(1, "train"), **YES | {"grounded": "no"}))
    assert found.labels == {
        **dict.fromkeys(JUDGE.criteria, True), "grounded": False, "reason": "Not grounded.",
    }  # fmt: skip


def test_a_dialogue_without_issues_has_an_empty_list_of_them() -> None:
    step = gold_step("conversation_judge")
    item = load_gold("conversation_judge").items[0]
    sheet = write_sheet(step, [blank(item)]).replace(",,,,,,,", ",yes,yes,yes,yes,,,")
    ((found,), _) = read_sheet(step, sheet, "s.csv")
    assert found.labels == {
        **dict.fromkeys(step.criteria, True), "reason": "Every criterion is met.", "issues": [],
    }  # fmt: skip


def test_rows_without_labels_are_left_out_and_counted() -> None:
    text = write_sheet(JUDGE, [blank(judge_item(n, "train")) for n in range(3)])
    assert read_sheet(JUDGE, text, "s.csv") == ([], 3)


def test_items_of_one_passage_are_in_one_split() -> None:
    passage = judge_item(1, "train").inputs["passage"]
    splits = set()
    for number in range(20):
        item = judge_item(number, "train")
        item = replace(item, inputs={**item.inputs, "passage": passage})
        splits.add(read_one(labelled(item, **YES)).split)
    assert len(splits) == 1


def test_passages_are_spread_over_all_splits() -> None:
    found = [read_one(labelled(judge_item(n, "train"), **YES)).split for n in range(36)]
    assert set(found) == {"train", "validation", "heldout"}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"correct": "true"}, r"s\.csv, row 2: label: grounded is empty; label the whole row"),
        ({**YES, "correct": "maybe"}, r"row 2: label: correct is 'maybe'; write true or false"),
    ],
)
def test_a_row_with_bad_labels_is_named(cells: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_one(labelled(judge_item(1, "train"), **cells))


def test_an_unknown_category_is_named() -> None:
    text = write_sheet(CLASSIFY, [blank(classify_item(3, "train", "stars"))])
    with pytest.raises(UserError, match="row 2: the label 'moons' is unknown"):
        read_sheet(CLASSIFY, text.replace(",,made", ",moons,made"), "s.csv")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UserError, match=r"the column type, form, answer, passage, .* is missing"):
        read_sheet(JUDGE, "id,question\nx,y\n", "s.csv")


def test_a_row_of_another_width_is_named() -> None:
    text = labelled(judge_item(1, "train"), **YES)
    with pytest.raises(UserError, match="row 2: it has more or fewer cells than the first row"):
        read_one(f"{text.rstrip()},more\n")


@pytest.mark.parametrize("name", ["source", "license"])
def test_a_row_without_a_source_or_licence_is_refused(name: str) -> None:
    known = {"source": "known", "license": "MIT"} | {name: ""}
    item = replace(judge_item(1, "train"), source=known["source"], license=known["license"])
    with pytest.raises(UserError, match="source and license must say where it comes from"):
        read_one(labelled(item, **YES))


def test_a_new_label_takes_the_place_of_the_old_one() -> None:
    old = [judge_item(1, "train"), judge_item(2, "train")]
    new = judge_item(2, "heldout", correct=False)
    assert merged(old, [new]) == [old[0], new]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_sheet_that_a_spreadsheet_saved_with_its_own_separator_is_read(mark: str) -> None:
    item = replace(judge_item(1, "train"), source="a, b; c")
    rows = csv.reader(io.StringIO(labelled(item, **YES), newline=""))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark).writerows(rows)
    found = read_one(text.getvalue())
    assert (found.inputs, found.source) == (item.inputs, "a, b; c")


def test_a_cell_may_be_longer_than_pythons_own_limit() -> None:
    csv.field_size_limit(131_072)
    item = judge_item(1, "train")
    text = labelled(replace(item, inputs={**item.inputs, "passage": "SHORT"}), **YES)
    found = read_one(text.replace("SHORT", "rain " * 40_000))
    assert found.inputs["passage"] == "rain " * 40_000


def test_a_quote_that_never_ends_is_told() -> None:
    with pytest.raises(UserError, match=r"s\.csv is not CSV: unexpected end of data"):
        read_sheet(JUDGE, 'id,question\nx,"y\n', "s.csv")


def test_a_row_without_an_id_is_named() -> None:
    text = labelled(judge_item(1, "train"), **YES)
    first, row = text.split("\r\n", 1)
    with pytest.raises(UserError, match=r"s\.csv, row 2: id is empty"):
        read_one(f"{first}\r\n,{row.partition(',')[2]}")


def test_a_row_with_a_cell_too_many_is_named() -> None:
    text = labelled(judge_item(1, "train"), **YES).rstrip()
    with pytest.raises(UserError, match="row 2: it has more or fewer cells than the first row"):
        read_one(f"{text},more\r\n")
