"""What makes a dataset trustworthy, from the command line: sources, benchmarks, forms, views."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Result, overrides
from tests.commands.conftest import PAGE

KEY = "AKIA" + "Q3EGRIZ7WS2LKPOB"
EXAM = {
    "task_id": "Exam/7",
    "prompt": 'def ranges(values):\n    """Return the difference between the largest and the '
    'smallest of the values as it is read off the gauge, and zero without any value."""\n',
    "canonical_solution": "    if not values:\n        return 0\n"
    "    low, high = min(values), max(values)\n    return abs(high - low) * 1\n",
}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_item_of_a_benchmark_in_the_sources_is_found_and_dropped(
    project: Path, small: Callable[..., Result]
) -> None:
    (project / "exam.jsonl").write_text(json.dumps(EXAM))
    planted = f"# Exam\n\nA helper:\n\n```python\n{EXAM['prompt']}{EXAM['canonical_solution']}```\n"
    (project / "docs" / "exam.md").write_text(planted + "\nIt reads the gauge. " * 20)
    result = small("pipeline", "--skip-analysis", *overrides(dataset__decontaminate="[exam.jsonl]"))
    assert result.code == 0, result.err
    run_dir = project / "outputs" / "small"
    report = json.loads((run_dir / "analysis" / "contamination.json").read_text())
    assert report["items_found"] == 1
    assert [(p["source"], p["item"]) for p in report["passages"]] == [("exam.md", "Exam/7")]
    card = (run_dir / "final" / "README.md").read_text()
    assert "exam (1 of its 1 items found)" in card
    assert {row["source"] for row in lines(run_dir / "generated" / "samples.jsonl")} == {"rain.md"}


def test_a_benchmark_that_is_not_there_is_said_before_anything_is_made(
    project: Path, small: Callable[..., Result]
) -> None:
    result = small("pipeline", *overrides(dataset__decontaminate="[none.jsonl]"))
    assert result.code == 2
    assert f"The benchmark {project / 'none.jsonl'} (dataset.decontaminate) cannot be read" in (
        result.err
    )
    assert not (project / "outputs").exists()


def test_a_secret_of_a_document_is_written_nowhere(
    project: Path, small: Callable[..., Result]
) -> None:
    page = PAGE.replace("## Counting tips", f"The key of the station is {KEY}.\n\n## Counting tips")
    (project / "docs" / "rain.md").write_text(page)
    result = small("pipeline", "--skip-analysis")
    assert result.code == 0, result.err
    for path in (project / "outputs").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    card = (project / "outputs" / "small" / "final" / "README.md").read_text()
    assert "keys, tokens and passwords: 1 places in 1 of 1 documents; they were masked" in card


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"dataset__allowed_licenses": "[mit]"}, "license_not_allowed"),
     ({"dataset__personal_data": "drop"}, "personal_data")],
)  # fmt: skip
def test_documents_that_may_not_be_used_are_dropped_with_the_reason(
    settings: dict[str, str], reason: str, project: Path, small: Callable[..., Result]
) -> None:
    (project / "docs" / "rain.md").write_text(f"{PAGE}\nAsk mira@station-seven.org.\n")
    result = small("parse", *overrides(**settings))
    assert result.code == 0, result.err
    assert f"1 dropped ({reason} 1)" in result.err


def test_views_are_written_beside_the_journals(project: Path, small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    run_dir = project / "outputs" / "small"
    samples = lines(run_dir / "generated" / "samples.jsonl")
    assert len(samples) == 3
    assert {s["split"] for s in samples} <= {"train", "validation", "test"}
    assert all(not Path(s["source"]).is_absolute() for s in samples)
    for row in lines(run_dir / "generated" / "rejected_samples.jsonl"):
        assert row["stage"]
        assert row["reason"]
    for folder in ("filtered", "filtered_candidates", "curated"):
        decisions = lines(run_dir / folder / "filter_decisions.jsonl")
        summary = json.loads((run_dir / folder / "summary.json").read_text())
        assert len(decisions) == summary["in"]
        assert sum(d["decision"] == "kept" for d in decisions) == summary["kept"]
    assert (run_dir / "filtered_images" / "image_filter_decisions.jsonl").exists()
    assert (run_dir / "generated" / "code_verification_failures.jsonl").exists()


def test_export_and_analyze_have_their_options(project: Path, small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    final = project / "outputs" / "small" / "final"
    exported = small("export", "--chat-format", "sharegpt", "--analyze")
    assert exported.code == 0, exported.err
    turns = [len(row["conversations"]) for p in final.glob("chat/sharegpt/*") for row in lines(p)]
    assert turns == [2, 2, 2]
    assert (project / "outputs" / "small" / "analysis" / "report.html").exists()
    for source in ("splits", "generated", "final"):
        done = small("analyze", "--source", source, "--output", f"look/{source}", "--no-plots")
        assert done.code == 0, done.err
        assert [p.name for p in (project / "look" / source).iterdir()] == ["statistics.json"]
        statistics = json.loads((project / "look" / source / "statistics.json").read_text())
        assert statistics["total"] == 3
    bare = small("analyze", "--no-allocation", "--no-pipeline", "--no-plots", "-o", "bare")
    assert bare.code == 0, bare.err
    statistics = json.loads((project / "bare" / "statistics.json").read_text())
    assert (statistics["stages"], statistics["sweep"], statistics["chunks"]["total"]) == ([], [], 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--chat-format", "alpaca"), "the formats are messages, sharegpt, ms-swift"),
        (("export", "--hub-id", "me/rain"), "HF_TOKEN is not set"),
        (("pipeline", "--hub-id", "me/rain"), "HF_TOKEN is not set"),
        (("analyze", "--hub-id", "rain"), "a repository's id is owner/name"),
        (("analyze", "--source", "x"), "samples come from one of splits, generated, final"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_made(
    arguments: tuple[str, ...], said: str, project: Path, small: Callable[..., Result]
) -> None:
    result = small(*arguments, HF_TOKEN="")
    assert result.code == 2
    assert said in result.err
    assert not (project / "outputs").exists()
