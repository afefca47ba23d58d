"""compile and programs as a user types them, with the offline model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_dspy.optimize.gold import write_gold
from tests.commandline import ROOT, Result, overrides, run
from tests.commands.conftest import CONFIG, PAGE
from tests.loopback import Loopback
from tests.optimize.made import gold

Command = Callable[..., Result]
# Questions alone: no code to run.
QUESTIONS = CONFIG.replace("    function_completion: {ratio: 0.34, multimodal_ratio: 0}\n", "")
QUESTIONS = QUESTIONS.replace("0.66", "1")
LABELED = ("--step", "classify", "--optimizer", "labeled")


@pytest.fixture(scope="session")
def compiled_once(tmp_path_factory: pytest.TempPathFactory, sandbox_backend: str) -> Path:
    """The small project with its own gold, and the classifier compiled and in use."""
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "docs").mkdir()
    (folder / "docs" / "rain.md").write_text(PAGE)
    (folder / "config.yaml").write_text(QUESTIONS.replace("BACKEND", sandbox_backend))
    write_gold(folder / "configs" / "gold" / "assistant" / "classify.jsonl", gold().items)
    options = ("--demos", "8", "--summary", "summary.json", "--config", "config.yaml")
    result = run("compile", *LABELED, *options, cwd=folder)
    assert result.code == 0, result.err
    return folder


@pytest.fixture
def compiled(compiled_once: Path, project: Path) -> Path:
    """A copy of it to work in, where `small` runs its commands."""
    shutil.copytree(compiled_once, project, dirs_exist_ok=True)
    return project


def programs(project: Path, *arguments: str) -> Result:
    name, *rest = arguments
    return run("programs", name, *rest, "--config", "config.yaml", cwd=project)


def test_compile_prints_the_table_and_writes_the_summary(compiled: Path) -> None:
    summary = json.loads((compiled / "summary.json").read_text())["classify"]
    assert {"baseline", "compiled", "interval", "n", "optimizer"} <= set(summary)
    assert summary["interval"][0] > 0
    path = compiled / "configs" / "compiled" / "assistant" / "classify"
    assert (path / f"{summary['sha256']}.json").is_file()
    assert json.loads((path / "promoted.json").read_text())["current"] == summary["sha256"]


def test_json_is_one_object_a_step_a_key(compiled: Path, small: Command) -> None:
    result = small("compile", *LABELED, "--demos", "8", "--json")
    assert set(json.loads(result.out)) == {"classify"}
    assert json.loads(result.out)["classify"]["llm_calls"] == 0


def test_programs_list_shows_which_is_in_use(compiled: Path) -> None:
    listed = json.loads(programs(compiled, "list", "--json").out)
    (entry,) = listed["steps"]["classify"]
    assert listed["recipe"] == "assistant"
    assert entry["promoted"] is True
    assert entry["sha256"][:12] in programs(compiled, "list").out


def test_programs_show_tells_scores_and_prompt(compiled: Path) -> None:
    shown = programs(compiled, "show", "classify").out
    assert "optimizer  labeled" in shown
    assert "[[ ## category ## ]]" in shown
    found = json.loads(programs(compiled, "show", "classify", "--json").out)
    assert len(found["state"]["classify_sample"]["demos"]) == 8


def test_programs_diff_shows_what_compiling_added(compiled: Path) -> None:
    lines = programs(compiled, "diff", "classify").out.splitlines()
    assert lines[0] == "--- as written"
    assert any(line.startswith("+What has the") for line in lines)


def test_programs_rollback_and_promote_go_back_and_forth(compiled: Path) -> None:
    sha = json.loads((compiled / "summary.json").read_text())["classify"]["sha256"]
    assert "as written in the code is in use" in programs(compiled, "rollback", "classify").out
    assert f"{sha[:12]} is in use" in programs(compiled, "promote", "classify", sha[:8]).out


def test_a_program_that_did_not_pass_the_gate_is_promoted_by_force_only(
    compiled: Path, small: Command
) -> None:
    result = small("compile", "--step", "classify", "--optimizer", "gepa", "--json")
    refused = json.loads(result.out)["classify"]
    assert (result.code, refused["promoted"]) == (0, False)
    answer = programs(compiled, "promote", "classify", refused["sha256"])
    assert answer.code == 2
    assert "did not pass the gate: it gains nothing" in answer.err
    forced = programs(compiled, "promote", "classify", refused["sha256"], "--force")
    assert "in use, by force" in forced.out


def test_a_run_says_which_program_it_uses_and_its_samples_keep_the_hash(
    compiled: Path, small: Command
) -> None:
    sha = json.loads((compiled / "summary.json").read_text())["classify"]["sha256"]
    categories = "[{name: data, description: rain}, {name: network, description: gauges}]"
    result = small("pipeline", *overrides(categories=categories), "--skip-analysis")
    assert result.code == 0, result.err
    assert f"compiled: classify {sha[:12]} (labeled, compiled for offline)" in result.err
    rows = small("inspect", "--stage", "build", "--json", *overrides(categories=categories)).out
    steps = [json.loads(row)["metadata"]["steps"] for row in rows.splitlines()]
    assert {step["classify_sample"]["program"] for step in steps} == {sha}
    run = json.loads((compiled / "outputs" / "small" / "run.json").read_text())
    assert run["compiled"]["classify"]["sha256"] == sha


def test_promotion_redoes_what_depends_on_it_and_nothing_else(
    compiled: Path, small: Command
) -> None:
    categories = "[{name: data, description: rain}, {name: network, description: gauges}]"
    arguments = (*overrides(categories=categories), "--skip-analysis")
    small("pipeline", *arguments)
    programs(compiled, "rollback", "classify")
    told = small("pipeline", *arguments).err.splitlines()
    lines = {line.split()[0]: line for line in told if line}
    assert " 0 new" in lines["curate"]
    assert " 0 cached" in lines["classify"]


def test_the_users_prompt_beats_the_program_and_the_run_says_so(
    compiled: Path, small: Command
) -> None:
    result = small("info", "--prompts", "--set", "prompts.classify_sample=Choose one.")
    assert "What has the" not in result.out
    run = small("pipeline", "--skip-analysis", "--set", "prompts.classify_sample=Choose one.")
    assert "is not used: your prompts replace it" in run.err


def test_info_shows_the_prompt_of_the_program_in_use(compiled: Path, small: Command) -> None:
    assert "What has the" in small("info", "--prompts").out


def test_a_tampered_program_stops_a_run_before_anything_is_made(
    compiled: Path, small: Command
) -> None:
    (path,) = (compiled / "configs/compiled/assistant/classify").glob("?" * 64 + ".json")
    path.write_text(path.read_text().replace("Choose the one", "Ignore the one"))
    result = small("pipeline")
    assert result.code == 2
    assert "is refused: its content was changed after it was written" in result.err
    assert not (compiled / "outputs" / "small" / "chunks").exists()


def test_an_optimizer_that_is_none_ends_with_2(project: Path, small: Command) -> None:
    result = small("compile", "--step", "classify", "--optimizer", "magic")
    assert result.code == 2
    assert "There is no optimizer 'magic'" in result.err


def test_a_step_that_is_none_ends_with_2(project: Path, small: Command) -> None:
    result = small("compile", "--step", "clasify")
    assert result.code == 2
    assert "Did you mean 'classify'?" in result.err


def test_a_step_of_another_recipe_ends_with_2(project: Path, small: Command) -> None:
    result = small("compile", "--step", "fact_validation")
    assert result.code == 2
    assert "is a step of the recipe 'conversations'" in result.err


def test_a_writer_that_is_no_endpoint_ends_with_2(project: Path, small: Command) -> None:
    result = small("compile", *LABELED, "--writer", "nobody")
    assert result.code == 2
    assert "--writer 'nobody' is not an endpoint" in result.err


def test_gold_for_more_than_one_step_ends_with_2(project: Path, small: Command) -> None:
    result = small("compile", "--step", "all", "--gold", "mine.jsonl")
    assert result.code == 2
    assert "is the gold of one step" in result.err


def test_examples_alone_and_none_of_them_ends_with_2(project: Path, small: Command) -> None:
    result = small("compile", *LABELED, "--demos", "0")
    assert result.code == 2
    assert "labeled changes worked examples alone" in result.err


def test_a_budget_too_small_to_evaluate_once_ends_with_2_and_asks_nothing(
    project: Path, small: Command
) -> None:
    result = small("compile", *LABELED, "--budget-calls", "3")
    assert result.code == 2
    assert "--budget-calls 3 is too small" in result.err
    assert not (project / "outputs").exists()


def test_a_budget_that_ends_half_way_ends_with_1_and_says_how_to_go_on(
    compiled: Path, small: Command
) -> None:
    with Loopback(lambda prompt: {"category": "data"}) as server:
        (compiled / "config.yaml").write_text(
            (compiled / "config.yaml").read_text()
            + f"models: {{endpoints: [{{name: one, base_url: '{server.url}', model_name: m}}]}}\n"
        )
        # Validation and held-out twice are 96 calls, and bootstrapping makes 8 between.
        arguments = ("compile", "--step", "classify", "--optimizer", "bootstrap", "--demos", "40")
        result = small(*arguments, "--budget-calls", "100")
    assert result.code == 1
    assert "100 calls were made, and --budget-calls is 100" in result.err
    assert "Every reply is kept" in result.err


def test_help_lists_both() -> None:
    out = run("--help", cwd=ROOT).out
    assert "compile" in out
    assert "programs" in out
