"""`rows`: the commands of the README, and what they make."""

from __future__ import annotations

import json
import re
from pathlib import Path

import datasets
import pytest
from pyarrow import parquet

from synth_dspy.dataset.row_columns import arrow_schema, read_csv
from synth_dspy.programs.row_formats import BINS, FORMATS, LABELS
from synth_dspy.store.run_directory import read_json
from tests.commandline import ROOT, overrides, run
from tests.commands.rows_runs import DOCS, here, made, of_docs, rows


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_offline_model_makes_every_format_from_documents(tmp_path: Path, name: str) -> None:
    result = of_docs(tmp_path, name, "--samples", "30")
    assert result.code == 0, result.err
    found = made(tmp_path, name)
    assert len(found) == 30
    fields = {*FORMATS[name].fields, "source", "metadata"}
    assert all(set(row) == fields for row in found)


def test_labels_are_balanced(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "pair-class", "--samples", "30").code == 0
    labels = [row["label"] for row in made(tmp_path, "pair-class")]
    assert {label: labels.count(label) for label in range(len(LABELS))} == {0: 10, 1: 10, 2: 10}


def test_scores_are_spread_over_the_range(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "pair-score", "--samples", "30").code == 0
    found = made(tmp_path, "pair-score")
    assert {FORMATS["pair-score"].cell_of(row) for row in found} == set(BINS)


def test_each_row_has_the_span_that_its_text_stands_in(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    text = (DOCS / "pages" / "weather_corner.md").read_text()
    (tmp_path / "docs" / "page.md").write_text(text)
    arguments = ("--documents", "docs", "--format", "triplet", "--samples", "3")
    assert rows(tmp_path, *arguments).code == 0
    config = str(next(tmp_path.glob("outputs/*/rows.yaml")))
    shown = run("inspect", "--stage", "parse", "--json", "--config", config, cwd=tmp_path)
    parsed = json.loads(shown.out)
    spans = 0
    for row in made(tmp_path, "triplet"):
        metadata = json.loads(str(row["metadata"]))
        assert metadata["source"]["path"] == row["source"] == "page.md"
        for field, (start, end) in (metadata["spans"] or {}).items():
            assert parsed["text"][start:end] == row[field]
            spans += 1
    assert spans > 0


def test_the_three_files_hold_the_same_rows(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "qa", "--samples", "12").code == 0
    stem, found = tmp_path / "synthetic_data_qa_from_docs", made(tmp_path, "qa")
    assert list(read_csv(stem.with_suffix(".csv"), arrow_schema(FORMATS["qa"].model))) == found
    assert parquet.read_table(stem.with_suffix(".parquet")).to_pylist() == found


def test_the_dataset_and_its_card_and_the_report_are_there(tmp_path: Path) -> None:
    given = ("--documents", str(DOCS), "--format", "pair-class", "--samples", "30")
    result = here(tmp_path, "rows", *given)
    assert result.code == 0, result.err
    (run_dir,) = tmp_path.glob("outputs/rows-pair-class-*")
    loaded = datasets.load_from_disk(str(run_dir / "final"))
    assert sum(loaded.num_rows.values()) == 30
    assert "recipe `rows`" in (run_dir / "final" / "README.md").read_text()
    statistics = read_json(run_dir / "analysis" / "statistics.json")
    assert statistics["counts"]["category"] == dict.fromkeys(LABELS, 10)
    assert (run_dir / "analysis" / "report.html").stat().st_size > 10_000


def test_no_section_is_in_two_splits(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "pair", "--samples", "40").code == 0
    (final,) = tmp_path.glob("outputs/rows-pair-*/final")
    sections: dict[str, set[str]] = {}
    for split, part in datasets.load_from_disk(str(final)).items():
        for row in part:
            source = json.loads(row["metadata"])["source"]
            sections.setdefault(f"{source['path']} {source['heading']}", set()).add(split)
    assert all(len(splits) == 1 for splits in sections.values())
    assert len({split for splits in sections.values() for split in splits}) == 3


def test_a_second_run_asks_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    of_docs(tmp_path, "triplet", "--samples", "10")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("synthetic_data*")}
    again = of_docs(tmp_path, "triplet", "--samples", "10")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("synthetic_data*")} == before
    assert "| 0 calls" in next(line for line in again.err.splitlines() if "write-rows" in line)


def test_more_samples_go_on_with_the_same_run(tmp_path: Path) -> None:
    assert of_docs(tmp_path, "triplet", "--samples", "10").code == 0
    first = made(tmp_path, "triplet")
    assert of_docs(tmp_path, "triplet", "--samples", "25").code == 0
    assert len(list(tmp_path.glob("outputs/rows-triplet-*"))) == 1
    assert len(made(tmp_path, "triplet")) == 25
    assert len(first) == 10


def test_a_query_chooses_passages_of_the_quickstart_offline(tmp_path: Path) -> None:
    arguments = ("--query", "dew point and humidity", "--format", "triplet", "--samples", "4")
    result = rows(tmp_path, *arguments)
    assert result.code == 0, result.err
    assert "model: offline (no --model, no GOOGLE_API_KEY); the query chooses" in result.err
    texts = " ".join(str(row["positive"]) for row in made(tmp_path, "triplet", "query"))
    assert "dew point" in texts


def test_what_cannot_be_filled_ends_with_one_and_a_table(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Rain\n\nRain is water that falls from a cloud.\n")
    result = rows(tmp_path, "--documents", "docs", "--format", "pair", "--samples", "50")
    assert result.code == 1
    assert "saturated: every passage was used until it gave no new row" in result.err
    assert re.search(r"pair +rows +50 +\d", result.err)
    assert made(tmp_path, "pair")


def test_the_shipped_configuration_makes_its_rows(tmp_path: Path) -> None:
    config = str(ROOT / "configs" / "rows.yaml")
    result = run("pipeline", "--config", config, "--skip-analysis", cwd=tmp_path)
    assert result.code == 0, result.err
    assert len(made(tmp_path, "triplet")) == 60


def test_stages_run_alone_give_what_the_pipeline_gives(tmp_path: Path) -> None:
    config = ("--config", str(ROOT / "configs" / "rows.yaml"), *overrides(rows__samples=8))
    for stage in ("parse", "chunk", "write-rows", "export"):
        assert (done := here(tmp_path, stage, *config)).code == 0, done.err
    alone = made(tmp_path, "triplet")
    other = tmp_path / "other"
    other.mkdir()
    assert here(other, "pipeline", *config, "--skip-analysis").code == 0
    assert alone == made(other, "triplet")
