"""Everything a user can get wrong: one clear sentence, exit code 2, and nothing half written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commandline import Result, overrides, run


def refused(result: Result, *said: str) -> None:
    assert result.code == 2, result.err
    assert "Traceback" not in result.err
    for words in said:
        assert words in result.err


def test_a_missing_source_folder(project: Path, small: Callable[..., Result]) -> None:
    refused(
        small("pipeline", "--skip-analysis", *overrides(sources__0__path="nowhere")),
        "nowhere",
        "sources",
    )
    assert not (project / "outputs").exists()


def test_a_source_without_documents(project: Path, small: Callable[..., Result]) -> None:
    (project / "empty").mkdir()
    refused(
        small("pipeline", "--skip-analysis", *overrides(sources__0__path="empty")),
        "No document was found",
    )
    assert not (project / "outputs").exists()


def test_a_missing_configuration(tmp_path: Path) -> None:
    refused(run("pipeline", "--config", "none.yaml", cwd=tmp_path), "none.yaml does not exist")


def test_an_unknown_key_with_the_nearest_one(project: Path, small: Callable[..., Result]) -> None:
    result = small("pipeline", "--skip-analysis", *overrides(generation__target_sample=3))
    refused(result, "generation.target_sample", "target_samples")
    assert not (project / "outputs").exists()


def test_an_unset_variable(small: Callable[..., Result]) -> None:
    result = small("pipeline", *overrides(dataset__description="${NOT_SET_ANYWHERE}"))
    refused(result, "NOT_SET_ANYWHERE")


def test_a_wrong_type(small: Callable[..., Result]) -> None:
    refused(small("pipeline", "--skip-analysis", *overrides(generation__target_samples="many")),
            "generation.target_samples", "'many'")  # fmt: skip


def test_splits_that_do_not_sum_to_one(small: Callable[..., Result]) -> None:
    refused(
        small("pipeline", "--skip-analysis", *overrides(dataset__train_split=0.9)),
        "1.2",
        "not to 1",
    )


def test_a_prompt_for_a_step_that_does_not_exist(small: Callable[..., Result]) -> None:
    refused(small("pipeline", "--skip-analysis", *overrides(prompts__judge_all="Be kind.")),
            "prompts.judge_all", "judge_sample")  # fmt: skip


def test_an_unknown_stage_with_the_nearest_one(small: Callable[..., Result]) -> None:
    refused(small("inspect", "--stage", "chunkz"), "no stage 'chunkz'", "Did you mean 'chunk")


def test_a_stage_whose_input_was_not_made(small: Callable[..., Result]) -> None:
    refused(small("chunk"), "`filter-images` has not run", "Run")


def test_documents_that_teach_nothing(project: Path, small: Callable[..., Result]) -> None:
    (project / "docs" / "rain.md").write_text("Hello.\n")
    refused(
        small("pipeline", "--skip-analysis"),
        "No chunk was left",
        "inspect --stage filter-chunks --dropped",
    )


def test_a_question_type_that_does_not_exist(project: Path, small: Callable[..., Result]) -> None:
    result = small("pipeline", *overrides(generation__type_allocations="{qq: {ratio: 1}}"))
    refused(result, "generation.type_allocations: 'qq' is not one of", "Did you mean 'qa'?")
    assert not (project / "outputs").exists()


def test_what_another_recipe_has_not(small: Callable[..., Result]) -> None:
    rows = overrides(recipe="rows", rows__format="triplet")
    refused(
        small("analyze", "--no-plots", *rows),
        "The recipe 'rows' has one analysis: run `analyze` without",
    )


def test_looking_at_a_run_that_is_not_there(small: Callable[..., Result]) -> None:
    refused(small("inspect", "--stage", "parse"), "There is no run")
    refused(small("stats"), "There is no run")
    refused(small("cache-clear"), "There is no run")
    refused(small("inspect-traces"), "conversations.jsonl does not exist")


def test_a_github_source_that_is_not_there(project: Path, small: Callable[..., Result]) -> None:
    gone = f"file://{project}/gone.git"
    result = small(
        "pipeline", *overrides(sources__0__type="github", sources__0__path=gone),
        XDG_CACHE_HOME=str(project / "cache"),
    )  # fmt: skip
    refused(result, "sources.0.path", "There is no repository", "gone.git")
    assert not (project / "outputs").exists()


def test_a_github_source_that_is_no_repository(small: Callable[..., Result]) -> None:
    result = small(
        "pipeline", *overrides(sources__0__type="github", sources__0__path="only-a-name")
    )
    refused(result, "sources.0.path", "is not a GitHub repository", "owner/name")


def test_an_unknown_command(project: Path) -> None:
    refused(run("pipelin", cwd=project), "pipelin")


def test_a_runner_that_does_not_exist(small: Callable[..., Result]) -> None:
    refused(small("pipeline", "--skip-analysis", "--runner", "spark"), "--runner 'spark'")


def test_no_sandbox_at_all_is_said_before_the_run_starts(
    project: Path, small: Callable[..., Result]
) -> None:
    result = small(
        "pipeline", *overrides(sandbox__backend="docker"), DOCKER_HOST="unix:///nowhere.sock"
    )
    refused(result, "Docker")
    assert not (project / "outputs").exists()


def test_without_docker_and_bubblewrap_it_says_how_to_get_one_and_the_unsafe_way_on(
    project: Path, small: Callable[..., Result]
) -> None:
    result = small(
        "pipeline",
        *overrides(sandbox__backend="auto"),
        DOCKER_HOST="unix:///nowhere.sock",
        PATH="/nowhere",
    )
    refused(result, "apt-get install docker.io", "bubblewrap", "sandbox.backend=process")
    assert not (project / "outputs").exists()


def test_a_users_own_sandbox_module_is_noticed(project: Path) -> None:
    (project / "sandbox.py").write_text("")
    refused(run("stats", cwd=project, env={"PYTHONPATH": str(project)} | _ours()), "sandbox.py")


def _ours() -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    return {"PYTHONPATH": f"{os.curdir}{os.pathsep}{root}"}


def test_a_broken_document_is_counted_and_the_run_goes_on(
    project: Path, small: Callable[..., Result]
) -> None:
    (project / "docs" / "broken.ipynb").write_text("{")
    (project / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7\n")
    result = small("pipeline", "--skip-analysis")
    assert result.code == 0, result.err
    failed = small("inspect", "--stage", "parse", "--failed", "--json")
    reasons = [json.loads(line) for line in failed.out.splitlines()]
    assert len(reasons) == 2
    assert all(line["reason"] and not line["retryable"] for line in reasons)
    assert "1 docs from 3 files" in result.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no record"),
        ("{", "line 1: not JSON"),
        ("[1]\n", "line 1: a JSON object is needed"),
        ('{"test": "assert f() == 1"}\n', "solution"),
    ],
)
def test_verify_names_the_line_that_it_cannot_read(
    project: Path, small: Callable[..., Result], content: str, said: str
) -> None:
    (project / "rows.jsonl").write_text(content)
    refused(run("verify", "rows.jsonl", "--config", "config.yaml", cwd=project), said)


def test_verify_names_a_missing_file(project: Path) -> None:
    refused(run("verify", "none.jsonl", "--config", "config.yaml", cwd=project), "none.jsonl")


def test_a_damaged_dataset_is_written_again(project: Path, small: Callable[..., Result]) -> None:
    assert small("pipeline", "--skip-analysis").code == 0
    path = next((project / "outputs").rglob("*.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    assert small("pipeline", "--skip-analysis").code == 0
    assert path.read_bytes() == whole
    path.unlink()
    assert small("pipeline", "--skip-analysis").code == 0
    assert path.read_bytes() == whole


def test_what_is_no_file_or_has_no_readable_name_is_passed_over(
    project: Path, small: Callable[..., Result]
) -> None:
    os.mkfifo(project / "docs" / "pipe.md")
    os.mkfifo(project / "docs" / "pipe.png")
    Path(os.fsdecode(os.fsencode(project / "docs") + b"/\xff\xfe.md")).write_text("# A name\n")
    result = small("parse")
    assert result.code == 0, result.err
    assert "1 docs from 1 files" in result.err
    assert "passed over pipe.md: unreadable: not a regular file" in result.err
    assert "its name is not UTF-8 text" in result.err


@pytest.mark.parametrize("value", ["2020-02-30", "9" * 5001])
def test_a_value_that_yaml_cannot_hold(
    project: Path, small: Callable[..., Result], value: str
) -> None:
    config = project / "config.yaml"
    config.write_text(config.read_text() + f"seed: {value}\n")
    refused(small("pipeline"), "config.yaml", "cannot be read")
