"""The commands `gold check|export|import|calibrate`, as a user types them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from synth_dspy.optimize.gold import gold_step, load_gold, write_gold
from synth_dspy.optimize.gold_sheet import write_sheet
from tests.commandline import run
from tests.commands.conftest import CONFIG, PAGE
from tests.optimize.made_gold import items


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, sandbox_backend: str) -> Path:
    """A working directory with a finished run of `config.yaml`."""
    cwd = tmp_path_factory.mktemp("finished")
    (cwd / "docs").mkdir()
    (cwd / "docs" / "rain.md").write_text(PAGE)
    (cwd / "config.yaml").write_text(CONFIG.replace("BACKEND", sandbox_backend))
    done = run("pipeline", "--config", "config.yaml", cwd=cwd)
    assert done.code == 0, done.err
    return cwd


def test_check_prints_the_balance_of_every_shipped_set(tmp_path: Path) -> None:
    done = run("gold", "check", cwd=tmp_path)
    assert done.code == 0, done.err
    for name in ("classify", "judge", "answer", "question", "row_judge"):
        assert f"{name}: train " in done.out


def test_check_prints_one_json_object_a_set(tmp_path: Path) -> None:
    done = run("gold", "check", "--step", "judge", "--json", cwd=tmp_path)
    found = json.loads(done.out)
    assert found["step"] == "judge"
    assert found["counts"]["heldout"] >= 100
    assert found["problems"] == []


def test_check_ends_with_two_and_names_every_problem(tmp_path: Path) -> None:
    write_gold(tmp_path / "g.jsonl", items()[:-1])
    done = run("gold", "check", "--step", "classify", "--gold", "g.jsonl", cwd=tmp_path)
    assert done.code == 2
    assert "heldout: 19 items; at least 20 are needed." in done.err
    assert "Traceback" not in done.err


def test_check_needs_the_step_of_a_file(tmp_path: Path) -> None:
    done = run("gold", "check", "--gold", "g.jsonl", cwd=tmp_path)
    assert done.code == 2
    assert "name it with --step NAME" in done.err


def test_check_refuses_what_a_benchmark_holds(tmp_path: Path) -> None:
    question = load_gold("question").items[-1].inputs["passage"]
    (tmp_path / "exam.jsonl").write_text(json.dumps({"id": "e1", "prompt": question}))
    done = run("gold", "check", "--step", "question", "--benchmark", "exam.jsonl", cwd=tmp_path)
    assert done.code == 2
    assert "repeats e1 of the benchmark exam" in done.err


def test_samples_are_labelled_by_people_and_become_gold(finished: Path) -> None:
    done = run("gold", "export", "sheet.csv", "--config", "config.yaml", cwd=finished)
    assert done.code == 0, done.err
    with (finished / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 3
    assert {row["source"] for row in rows} == {"rain.md"}
    for row in rows:
        row |= {name: "true" for name in row if name.startswith("label: ")}
    with (finished / "sheet.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = run("gold", "import", "sheet.csv", "--output", "mine.jsonl", cwd=finished)
    assert done.code == 0, done.err
    assert f"{len(rows)} labelled rows read, 0 without labels left out" in done.out
    assert "not usable yet: train: " in done.out
    gold = load_gold("judge", finished / "mine.jsonl")
    assert {item.id for item in gold.items} == {row["id"] for row in rows}


def test_export_does_not_write_over_a_sheet(project: Path) -> None:
    (project / "sheet.csv").write_text("labels of a week")
    done = run("gold", "export", "sheet.csv", "--config", "config.yaml", cwd=project)
    assert done.code == 2
    assert "sheet.csv is there already: it may hold labels" in done.err
    assert (project / "sheet.csv").read_text() == "labels of a week"


def test_export_needs_a_run(project: Path) -> None:
    done = run("gold", "export", "sheet.csv", "--config", "config.yaml", cwd=project)
    assert done.code == 2
    assert "`curate` has not run" in done.err
    assert not (project / "sheet.csv").exists()


def test_export_is_for_steps_whose_samples_people_review(project: Path) -> None:
    done = run("gold", "export", "s.csv", "--step", "answer", "-c", "config.yaml", cwd=project)
    assert done.code == 2
    assert "can be reviewed for judge and classify, not for answer" in done.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"\xff\xfe\x00", "it is not UTF-8"),
        (b"id,question\n1,2\n", "the column type, form"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "s.csv").write_bytes(content)
    done = run("gold", "import", "s.csv", cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "configs").exists()


def test_a_sheet_that_nobody_labelled_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(write_sheet(gold_step("classify"), items()), newline="")
    done = run("gold", "import", "s.csv", "--step", "classify", cwd=tmp_path)
    assert done.code == 2
    assert "s.csv holds no labelled row; fill in the columns `label: ...`." in done.err


def test_calibration_is_written_and_told_by_the_card(finished: Path) -> None:
    card = finished / "outputs" / "small" / "final" / "README.md"
    assert "never calibrated" in card.read_text()
    done = run("gold", "calibrate", "--config", "config.yaml", "--json", cwd=finished)
    assert done.code == 0, done.err
    found = json.loads((finished / "outputs" / "small" / "calibration.json").read_text())
    assert found == json.loads(done.out)
    assert (found["step"], found["model"], found["split"]) == ("judge_sample", "offline", "heldout")
    assert sum(found["confusion"].values()) == found["n"] >= 100
    assert found["worst"]
    assert run("export", "--config", "config.yaml", cwd=finished).code == 0
    assert "never calibrated" not in card.read_text()
    assert f"Cohen's kappa {found['kappa']:.3g}" in card.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--step", "classify"), "classify is no judge"),
        (("--step", "row_judge"), "is a step of the recipe 'rows'"),
        (("--split", "test"), "--split 'test': splits are train, validation, heldout"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_before_anything_is_asked(
    project: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run("gold", "calibrate", "--config", "config.yaml", *arguments, cwd=project)
    assert done.code == 2
    assert said in done.err
    assert not (project / "outputs").exists()


def test_a_judge_that_does_not_answer_ends_calibration_in_one_sentence(project: Path) -> None:
    endpoint = "{name: gone, base_url: 'http://127.0.0.1:9/v1', model_name: m, max_retries: 0}"
    text = (project / "config.yaml").read_text()
    (project / "config.yaml").write_text(f"{text}models: {{endpoints: [{endpoint}]}}\n")
    done = run("gold", "calibrate", "--config", "config.yaml", cwd=project)
    assert done.code == 2
    assert "The judge could not be asked" in done.err
    assert "Traceback" not in done.err
    assert not (project / "outputs" / "small" / "calibration.json").exists()


def test_a_bad_gold_set_is_refused_before_anything_is_asked(project: Path) -> None:
    write_gold(project / "g.jsonl", items("judge")[:-1])
    done = run("gold", "calibrate", "-c", "config.yaml", "--gold", "g.jsonl", cwd=project)
    assert done.code == 2
    assert "The gold set of judge cannot be used" in done.err


def test_an_imported_set_goes_where_compile_looks_first_and_says_so(tmp_path: Path) -> None:
    sheet = write_sheet(gold_step("classify"), items()).replace(",,made", ",rivers,made")
    (tmp_path / "s.csv").write_text(sheet, newline="")
    done = run("gold", "import", "s.csv", "--step", "classify", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "In this folder it goes before the set that ships." in done.out
    path = tmp_path / "configs" / "gold" / "assistant" / "classify.jsonl"
    assert len(load_gold("classify", path).items) == 36
