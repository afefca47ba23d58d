"""`init` and `preview`: from a folder of documents to a look at what a run will do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from synth_dspy.config import load_config
from tests.commandline import Result, run

OLLAMA = "http://localhost:11434/v1"


def init(cwd: Path, *arguments: str) -> Result:
    return run("init", *arguments, cwd=cwd)


def test_init_writes_a_configuration_that_is_valid(project: Path) -> None:
    result = init(project, "--documents", "docs", "--samples", "7", "--output", "mine/run.yaml")
    assert result.code == 0, result.err
    assert "preview --config mine/run.yaml" in result.out
    config = load_config(project / "mine" / "run.yaml").config
    assert config.generation.target_samples == 7
    assert config.sources[0].resolved == project / "docs"
    assert config.dataset.name == "docs"
    assert run("validate-config", "--config", "mine/run.yaml", cwd=project).code == 0


def test_init_asks_for_no_pictures_where_the_documents_have_none(project: Path) -> None:
    assert init(project, "--documents", "docs").code == 0
    asked = load_config(project / "synth.yaml").config.generation.type_allocations
    assert {share.multimodal_ratio for share in asked.values()} == {0}
    (project / "docs" / "picture.md").write_text("![a curve](a.png)\n")
    assert init(project, "--documents", "docs", "--force").code == 0
    asked = load_config(project / "synth.yaml").config.generation.type_allocations
    assert {share.multimodal_ratio for share in asked.values()} == {0.2, 0.3}


@pytest.mark.parametrize(
    ("arguments", "endpoint"),
    [
        (
            ("--model", "gemini/gemini-2.5-flash"),
            {"model_name": "gemini/gemini-2.5-flash", "api_key": "${GEMINI_API_KEY:-}"},
        ),
        (
            ("--model", "llama3", "--base-url", OLLAMA),
            {"model_name": "llama3", "base_url": OLLAMA, "api_key": "${MODEL_API_KEY:-}"},
        ),
        ((), {"model_name": "offline"}),
    ],
)  # fmt: skip
def test_init_names_the_model_and_never_a_key(
    project: Path, arguments: tuple[str, ...], endpoint: dict[str, str]
) -> None:
    assert init(project, "--documents", "docs", *arguments).code == 0
    written = yaml.safe_load((project / "synth.yaml").read_text())
    assert written["models"]["endpoints"] == [{"name": "model", **endpoint}]


def test_init_asks_for_the_key_of_a_server_of_ones_own_only_if_that_does(project: Path) -> None:
    own = init(project, "--documents", "docs", "--model", "llama3", "--base-url", OLLAMA)
    assert "next   if the server asks for a key: put MODEL_API_KEY=... into .env" in own.out
    hosted = run(
        "init", "--documents", "docs", "--model", "openai/gpt-4.1-mini", "--force",
        cwd=project, env={"OPENAI_API_KEY": ""},
    )  # fmt: skip
    assert "next   put OPENAI_API_KEY=... into .env" in hosted.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "init needs --documents FOLDER where nobody can be asked."),
        (("--documents", "nowhere"), "nowhere does not exist; name the folder of your documents."),
        (("--documents", "docs", "--samples", "0"), "--samples 0: ask for at least 1."),
        (
            ("--documents", "docs", "--output", "config.yaml"),
            "config.yaml is there already; name another with --output, or give --force.",
        ),
        (("--documents", "docs", "--output", "config.yaml/x"), "config.yaml/x cannot be written"),
        (
            ("--documents", "docs", "--model", "llama3"),
            "--model 'llama3': give --base-url for a server of your own",
        ),
    ],
)  # fmt: skip
def test_init_says_what_is_wrong(project: Path, arguments: tuple[str, ...], said: str) -> None:
    result = init(project, *arguments)
    assert result.code == 2
    assert said in result.err


def test_a_folder_with_an_odd_name_is_written_as_yaml_reads_it(project: Path) -> None:
    odd = project / 'my "docs": #1'
    (project / "docs").rename(odd)
    assert init(project, "--documents", str(odd)).code == 0
    config = load_config(project / "synth.yaml").config
    assert config.sources[0].resolved == odd
    assert config.dataset.name == "my-docs-1"


def test_a_preview_shows_each_step_that_asks_and_what_came_of_it(
    small: Callable[..., Result], project: Path
) -> None:
    result = small("preview", "--count", "1", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert {"plan", "curate"} <= {stage["stage"] for stage in found["stages"]}
    for stage in found["stages"]:
        assert len(stage["records"]) == 1
        (record,) = stage["records"]
        assert record["outcome"] in {"kept", "dropped", "failed"}
        assert all(call["messages"] and call["reply"] for call in record["calls"])
    assert found["calls"] > 0
    assert not (project / "outputs" / "small" / "final").exists()


def test_the_run_does_not_pay_a_previews_calls_again(small: Callable[..., Result]) -> None:
    preview = json.loads(small("preview", "--count", "3", "--json").out)
    assert small("pipeline", "--skip-analysis").code == 0
    summary = json.loads(small("stats", "--json").out)
    replayed = sum(
        s["total"]["llm_calls"] + s["beyond"]["llm_calls"] - s["llm_calls"]
        for s in summary["stages"]
    )
    assert 0 < replayed <= preview["calls"]


def test_a_preview_can_be_looked_at_again_for_nothing(small: Callable[..., Result]) -> None:
    first = json.loads(small("preview", "--count", "1", "--json").out)
    again = json.loads(small("preview", "--count", "1", "--json").out)
    assert again["calls"] == 0
    assert [s["stage"] for s in again["stages"]] == [s["stage"] for s in first["stages"]]


def test_a_preview_for_people_names_fields_in_short(small: Callable[..., Result]) -> None:
    text = small("preview", "--count", "1").out
    assert "\n  question: " in text
    assert "Respond with the corresponding" not in text
    assert "Your input fields are" in small("preview", "--count", "1", "--full").out
