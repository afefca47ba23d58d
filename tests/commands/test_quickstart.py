"""What a new user is promised of the first command."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from synth_dspy.dataset.plots import PLOTS
from tests.commandline import QUICKSTART, overrides, run
from tests.commands.conftest import Quickstart


@pytest.fixture(scope="module")
def rows(quickstart: Quickstart) -> list[dict[str, Any]]:
    """Every row of the dataset, with its split and its provenance as an object."""
    from datasets import load_from_disk

    dataset = load_from_disk(str(quickstart.run_dir / "final"))
    return [
        {**row, "split": split, "metadata": json.loads(row["metadata"])}
        for split in dataset
        for row in dataset[split]
    ]


def test_there_are_sixty_samples_of_all_types_a_fifth_of_them_with_an_image(
    rows: list[dict[str, Any]],
) -> None:
    assert len(rows) >= 60
    assert {row["type"] for row in rows} == {"function_completion", "code_generation", "qa"}
    assert sum(row["has_image"] for row in rows) >= 0.2 * len(rows)
    assert all((row["image"] is not None) == row["has_image"] for row in rows)


def test_every_code_samples_test_was_executed_and_kills_mutants(
    rows: list[dict[str, Any]], sandbox_backend: str
) -> None:
    code = [row for row in rows if row["type"] != "qa"]
    assert code
    for row in code:
        check = row["metadata"]["check"]
        assert check["isolation"] == sandbox_backend
        assert check["tests"] >= 1
        assert check["mutants_killed"] >= 0.6 * check["mutants_run"]


def test_every_split_is_there_and_no_chunk_or_image_is_in_two(rows: list[dict[str, Any]]) -> None:
    assert {row["split"] for row in rows} == {"train", "validation", "test"}
    places = defaultdict(set)
    for row in rows:
        places[row["metadata"]["source"]["chunk"]].add(row["split"])
        if row["has_image"]:
            places[row["metadata"]["image"]["sha256"]].add(row["split"])
    assert all(len(splits) == 1 for splits in places.values())


def test_every_sample_says_where_it_comes_from_and_who_made_it(rows: list[dict[str, Any]]) -> None:
    docs = QUICKSTART.parent / "docs"
    for row in rows:
        source = row["metadata"]["source"]
        assert (docs / source["path"]).is_file()
        assert source["path"] == row["source"]
        assert {step["model"] for step in row["metadata"]["steps"].values()} == {"offline"}


def test_a_function_completion_runs_as_human_eval_has_it(rows: list[dict[str, Any]]) -> None:
    row = next(row for row in rows if row["type"] == "function_completion")
    program = row["question"] + "\n" + row["answer"] + "\n" + row["test_code"]
    namespace: dict[str, Any] = {}
    exec(compile(program, "sample", "exec"), namespace)
    namespace["check"](namespace[row["entry_point"]])


def test_no_row_carries_its_answer_in_another_column(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["type"] != "qa":
            assert row["answer"].strip() not in row["code_context"]
            assert f"def {row['entry_point']}(" not in row["code_context"]


def test_the_exported_rows_pass_verify_as_they_are(
    quickstart: Quickstart, rows: list[dict[str, Any]], sandbox_backend: str
) -> None:
    path = quickstart.cwd / "rows.jsonl"
    names = ("question", "answer", "test_code", "entry_point")
    path.write_text("\n".join(json.dumps({name: row[name] for name in names}) for row in rows))
    backend = overrides(sandbox__backend=sandbox_backend)
    result = run("verify", str(path), "--json", *backend, cwd=quickstart.cwd)
    assert result.code == 1, result.err
    verdicts = [json.loads(line) for line in result.out.splitlines()]
    assert [verdict["index"] for verdict in verdicts] == list(range(len(rows)))
    expected = ["no_tests" if row["type"] == "qa" else "ok" for row in rows]
    assert [verdict["reason"] for verdict in verdicts] == expected


def test_a_second_run_asks_no_model_again(quickstart: Quickstart, sandbox_backend: str) -> None:
    backend = overrides(sandbox__backend=sandbox_backend)
    result = run("pipeline", "--config", str(QUICKSTART), *backend, cwd=quickstart.cwd)
    assert result.code == 0, result.err
    lines = re.findall(r"\| (\d+) new, \d+ cached \| (\d+) calls", result.err)
    assert len(lines) == 14
    assert set(lines) == {("0", "0")}


def test_every_stage_leaves_its_journal_and_a_summary_that_adds_up(quickstart: Quickstart) -> None:
    folders = (
        "parsed", "transcribed", "filtered_images", "chunks", "filtered", "planned",
        "filtered_candidates", "answered", "curated", "generated", "splits", "final", "analysis",
    )  # fmt: skip
    for folder in folders:
        path = quickstart.run_dir / folder
        summary = json.loads((path / "summary.json").read_text())
        assert (path / "journal.jsonl").stat().st_size > 0
        dropped = sum(summary["dropped"].values())
        assert summary["in"] == summary["kept"] + dropped + summary["failed"]


def test_the_report_the_card_and_every_plot_are_there(quickstart: Quickstart) -> None:
    analysis = quickstart.run_dir / "analysis"
    assert {plot.name for plot in PLOTS} <= {path.stem for path in analysis.glob("*.png")}
    assert "<html" in (analysis / "report.html").read_text()[:200]
    card = (quickstart.run_dir / "final" / "README.md").read_text()
    assert "offline model" in card
    assert json.loads((analysis / "statistics.json").read_text())["total"] >= 60


def test_the_run_is_in_mlflow_and_it_says_how_to_look(quickstart: Quickstart) -> None:
    import mlflow

    assert "mlflow ui --backend-store-uri sqlite:///outputs/mlflow.db" in quickstart.result.err
    client = mlflow.MlflowClient(f"sqlite:///{quickstart.cwd}/outputs/mlflow.db")
    experiment = client.get_experiment_by_name("quickstart")
    assert experiment is not None
    logged = client.search_runs([experiment.experiment_id])[-1]
    assert logged.data.metrics["samples"] >= 60
    assert logged.data.params["generation.target_samples"] == "90"
    names = {artifact.path for artifact in client.list_artifacts(logged.info.run_id)}
    assert {"README.md", "report.html", "analysis", "run.json"} <= names


def test_progress_tells_documents_and_files_cached_and_new(quickstart: Quickstart) -> None:
    assert "10 docs from 10 files (0 cached, 10 new)" in quickstart.result.err


def test_inspect_prints_the_documents_of_the_contract(quickstart: Quickstart) -> None:
    result = run(
        "inspect", "--stage", "parsed", "--json", "--config", str(QUICKSTART), cwd=quickstart.cwd
    )
    documents = [json.loads(line) for line in result.out.splitlines()]
    assert len(documents) == 10
    wanted = {"id", "path", "source", "kind", "sha256", "text", "code_blocks", "images",
              "dropped_images", "stats"}  # fmt: skip
    assert all(wanted <= document.keys() for document in documents)
    for document in documents:
        for image in document["images"]:
            assert f"[IMAGE:{image['id']}]" in document["text"]
            assert (quickstart.run_dir / image["path"]).is_file()


def test_stats_prints_one_json_object(quickstart: Quickstart) -> None:
    result = run("stats", "--json", "--config", str(QUICKSTART), cwd=quickstart.cwd)
    assert json.loads(result.out)["counts"]["type"].keys() == {
        "function_completion", "code_generation", "qa",
    }  # fmt: skip


def test_conversations_can_be_inspected(quickstart: Quickstart) -> None:
    result = run(
        "inspect-traces", "--stage", "answer", "--json", "--count", "2",
        "--config", str(QUICKSTART), cwd=quickstart.cwd,
    )  # fmt: skip
    calls = [json.loads(line) for line in result.out.splitlines()]
    assert len(calls) == 2
    assert {call["stage"] for call in calls} == {"answer"}
    assert all(call["messages"] and call["reply"] for call in calls)
