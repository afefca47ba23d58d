"""The files of rows: the same content in each form, safe in a spreadsheet, exact after a kill."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from signatures.rows import RowModel
from synth_dspy.dataset.row_columns import arrow_schema, csv_line, read_csv
from synth_dspy.dataset.row_files import LiveFile, write_file
from synth_dspy.errors import StoreError
from synth_dspy.store.run_directory import read_jsonl


class Step(RowModel):
    do: str
    minutes: float | None = None


class Dish(RowModel):
    dish: str
    serves: int
    price: float | None = None
    good: bool = True
    steps: tuple[Step, ...] = ()
    note: str | None = None


SCHEMA = arrow_schema(Dish)
ROW: dict[str, Any] = {
    "dish": "soup", "serves": -4, "price": None, "good": True,
    "steps": [{"do": "=boil", "minutes": 3.0}], "note": "", "source": "a.md", "metadata": "{}",
}  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def written(tmp_path: Path, form: str, rows: list[dict[str, Any]]) -> Path:
    path = tmp_path / f"rows.{form}"
    write_file(path, form, rows, SCHEMA)
    return path


@pytest.mark.parametrize("dish", ["=1+1", "+1", "-1", "@a", "\tA", "\rA", "'quoted"])
def test_no_text_starts_a_formula_in_a_spreadsheet(tmp_path: Path, dish: str) -> None:
    path = written(tmp_path, "csv", [{**ROW, "dish": dish}])
    with path.open(newline="") as file:
        record = list(csv.reader(file))[1]
    assert record[0] == f"'{dish}"


def test_a_number_below_zero_stays_a_number(tmp_path: Path) -> None:
    assert b",-4," in written(tmp_path, "csv", [ROW]).read_bytes()


@given(dish=TEXTS, note=st.none() | TEXTS)
def test_every_text_comes_back_from_csv(
    tmp_path_factory: pytest.TempPathFactory, dish: str, note: str | None
) -> None:
    row = {**ROW, "dish": dish, "note": note}
    path = written(tmp_path_factory.mktemp("csv"), "csv", [row])
    assert list(read_csv(path, SCHEMA)) == [row]


def test_the_three_forms_hold_the_same_rows(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "dish": "=pie", "price": 2.5, "note": None, "steps": []}]
    assert list(read_jsonl(written(tmp_path, "jsonl", rows))) == rows
    assert list(read_csv(written(tmp_path, "csv", rows), SCHEMA)) == rows
    assert parquet.read_table(written(tmp_path, "parquet", rows)).to_pylist() == rows


def test_a_live_file_goes_on_behind_what_is_right_and_cuts_what_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.write_bytes(b"one\ntwo\nthr")
    live = LiveFile(path)
    for record in (b"one\n", b"two\n", b"three\n"):
        live.append(record)
    live.close()
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_a_live_file_drops_what_is_no_longer_true(tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.write_bytes(b"one\nold\nthree\nfour\n")
    live = LiveFile(path)
    live.append(b"one\n")
    live.append(b"two\n")
    live.close()
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_live_file_that_is_cut_short_keeps_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.write_bytes(b"one\ntwo\n")
    live = LiveFile(path)
    live.append(b"one\n")
    live.close(whole=False)
    assert path.read_bytes() == b"one\ntwo\n"


def test_each_record_can_be_read_at_once(tmp_path: Path) -> None:
    live = LiveFile(tmp_path / "live")
    live.append(csv_line(["a", 1]))
    assert (tmp_path / "live").read_bytes() == b"a,1\r\n"
    live.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written: File exists\. Give another place"):
        LiveFile(tmp_path / "file" / "rows.jsonl")


def test_a_text_longer_than_pythons_own_limit_comes_back(tmp_path: Path) -> None:
    csv.field_size_limit(131_072)
    long = {**ROW, "dish": "soup " * 40_000}
    assert list(read_csv(written(tmp_path, "csv", [long]), SCHEMA)) == [long]
