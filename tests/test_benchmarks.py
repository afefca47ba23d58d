"""The benchmark's table: medians of one unit, and ratios to the first row of each group."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.parsing import parsing
from benchmarks.table import Group, Row, duration, render


def cells(table: str) -> dict[str, list[str]]:
    """The cells after the name, by name."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {line[0]: line[1:] for line in lines}


def test_a_ratio_compares_one_unit_with_the_groups_first_row() -> None:
    once = Row("once", [0.2, 9.0, 0.1])
    batch = Row("batch", [1.0], amount=10)
    found = cells(render([Group("verify", [once, batch])]))
    assert found["once"] == ["200.0 ms", "5.0 1/s", "1.00"]
    assert found["batch"] == ["100.0 ms", "10.0 1/s", "0.50"]


def test_groups_are_not_compared_with_each_other() -> None:
    groups = [Group("a", [Row("one", [1.0])]), Group("b", [Row("two", [5.0])])]
    assert cells(render(groups))["two"][-1] == "1.00"


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.5, "1.50 s"), (0.0123, "12.3 ms"), (4.1e-5, "41 us")]
)
def test_a_duration_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_each_kind_of_document_is_measured_beside_a_library_alone(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One\n\nText.\n")
    (tmp_path / "b.mdx").write_text("# Two\n\nText.\n")
    (tmp_path / "c.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, '
                                      '"nbformat_minor": 5}')  # fmt: skip
    groups = parsing(tmp_path, repetitions=1)
    assert [group.title for group in groups] == ["read 1 notebooks", "read 2 pages"]
    assert [row.name for row in groups[0].rows][:2] == ["nbformat alone", "parse"]
    assert all(row.median > 0 for group in groups for row in group.rows)


def test_documents_that_are_not_there_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--documents", str(tmp_path / "nowhere")])
    assert end.value.code == 2
    assert "nowhere' is not a folder" in capsys.readouterr().err
