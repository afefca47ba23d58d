"""Each stage as a command of its own, and what a change makes run again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.commandline import Result, overrides, run

STAGES = (
    "parse", "transcribe", "filter-images", "chunk", "filter-chunks", "plan", "filter-candidates",
    "answer", "curate", "classify", "build", "export", "analyze",
)  # fmt: skip


def asked(result: Result) -> dict[str, int]:
    """New records by stage, from the closing lines."""
    lines = re.findall(r"^([\w-]+) .*\| (\d+) new, \d+ cached", result.err, re.MULTILINE)
    return {stage: int(new) for stage, new in lines}


def test_the_stages_one_by_one_make_what_the_pipeline_makes(
    project: Path, small: Callable[..., Result]
) -> None:
    for stage in STAGES:
        result = small(stage)
        assert result.code == 0, (stage, result.err)
    alone = {path.name: path.read_bytes() for path in (project / "outputs").rglob("*.parquet")}
    assert alone
    assert run("cache-clear", "--config", "config.yaml", cwd=project).code == 0
    assert small("pipeline", "--skip-analysis").code == 0
    whole = {path.name: path.read_bytes() for path in (project / "outputs").rglob("*.parquet")}
    assert alone.keys() == whole.keys()


def test_a_stage_is_found_by_its_folders_name(small: Callable[..., Result]) -> None:
    assert small("parse").code == 0
    by_command = small("inspect", "--stage", "parse", "--json")
    by_folder = small("inspect", "--stage", "parsed", "--json")
    assert by_command.out == by_folder.out
    assert by_folder.out


def test_a_new_document_is_the_only_one_that_is_parsed(
    project: Path, small: Callable[..., Result]
) -> None:
    assert small("parse").code == 0
    (project / "docs" / "snow.md").write_text("# Snow\n\nSnow is frozen precipitation.\n")
    result = small("parse")
    assert "2 docs from 2 files (1 cached, 1 new)" in result.err
    (project / "docs" / "snow.md").unlink()
    assert "1 docs from 1 files (1 cached, 0 new)" in small("parse").err


def test_a_changed_prompt_asks_again_from_that_step_on(small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    result = small(
        "pipeline",
        "--skip-analysis",
        *overrides(prompts__judge_sample="Judge the sample strictly."),
    )
    new = asked(result)
    assert (new["plan"], new["filter-candidates"], new["answer"]) == (0, 0, 0)
    assert new["curate"] > 0


def test_a_target_out_of_reach_ends_with_1_and_a_table(small: Callable[..., Result]) -> None:
    result = small("pipeline", "--skip-analysis", *overrides(generation__target_samples=60))
    assert result.code == 1
    assert "ended short of its target" in result.err
    assert re.search(r"cell\s+asked\s+made\s+accepted\s+short\s+why", result.err)
    row = re.search(r"function_completion\s+text\s+20\s+(\d+)\s+(\d+)\s+(\d+) ", result.err)
    assert row is not None
    made, accepted, short = map(int, row.groups())
    assert 0 < accepted <= made
    assert accepted + short == 20


def test_a_trial_is_small_and_has_a_directory_of_its_own(
    project: Path, small: Callable[..., Result]
) -> None:
    assert small("pipeline", "--skip-analysis", "--trial").code == 0
    assert (project / "outputs" / "small-trial" / "final").is_dir()
    assert not (project / "outputs" / "small").exists()


def test_info_and_validate_config_say_what_would_run(small: Callable[..., Result]) -> None:
    facts = json.loads(small("info", "--json", "--prompts").out)
    assert facts["stages"] == list(STAGES)
    assert facts["models"]["answer"] == "offline"
    assert "{passage}" in facts["prompts"]["write_question"]["user"]
    valid = small("validate-config")
    assert valid.code == 0
    assert "2 qa (text)" in valid.out
    assert "1 files" in valid.out


def test_nothing_of_a_key_is_written_anywhere(project: Path, small: Callable[..., Result]) -> None:
    endpoints = "[{name: a, model_name: offline, api_key: sk-very-secret-key}]"
    result = small("pipeline", "--skip-analysis", *overrides(models__endpoints=endpoints))
    assert result.code == 0, result.err
    assert "sk-very-secret-key" not in result.err + result.out
    for path in (project / "outputs").rglob("*"):
        assert not path.is_file() or b"sk-very-secret-key" not in path.read_bytes(), path
