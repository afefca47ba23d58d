"""The recipe `conversations` through the command line: facts in, a dataset of dialogues out."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from synth_dspy.dataset.grounding import ungrounded
from synth_dspy.programs.conversations import RUBRIC, VALIDATION
from tests.commandline import ROOT, Result, overrides, run
from tests.commands.test_endpoints import Served
from tests.commands.test_kill import chaos
from tests.loopback import Loopback

CONFIG = ROOT / "configs" / "conversations.yaml"
SMALL = {
    "conversations__max_chunks": 12,
    "conversations__num_conversations": 60,
    "conversations__top_k": 30,
    "tracking__enabled": False,
}
ORDER = ("extract-qa", "validate-qa", "converse", "judge", "embed", "dedup", "select", "export",
         "analyze")  # fmt: skip


def small(command: str, cwd: Path, *flags: str, **settings: object) -> Result:
    given = overrides(**{**SMALL, "output_dir": cwd / "run", **settings})
    return run(command, "--config", str(CONFIG), *flags, *given, cwd=cwd)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def parquet(run_dir: Path) -> dict[str, str]:
    files = sorted((run_dir / "final" / "data").glob("*.parquet"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A small run of the whole recipe, and what it said."""
    folder = tmp_path_factory.mktemp("conversations")
    result = small("pipeline", folder)
    assert result.code == 0, result.err
    return folder / "run", result


def test_the_asked_number_ends_in_a_dataset_that_opens(made: tuple[Path, Result]) -> None:
    from datasets import load_from_disk

    run_dir, _ = made
    opened = load_from_disk(str(run_dir / "final"))
    assert sum(len(rows) for rows in opened.values()) == 30
    assert "# conversations" in (run_dir / "final" / "README.md").read_text()


def test_pass_rates_of_every_criterion_are_printed(made: tuple[Path, Result]) -> None:
    said = made[1].err
    for name in (*VALIDATION, "grounded", *RUBRIC):
        assert re.search(rf"{name} +\d+\.\d% +\d+ of \d+", said), name


def test_every_view_is_there_under_its_name(made: tuple[Path, Result]) -> None:
    run_dir, _ = made
    validated = lines(run_dir / "validated_qa" / "qa_pairs_validated.jsonl")
    passed = lines(run_dir / "validated_qa" / "qa_pairs_validated_passed.jsonl")
    assert len(lines(run_dir / "qa_pairs" / "qa_pairs.jsonl")) == len(validated) == 36
    assert [one for one in validated if one["validation"]["passed"]] == passed
    judged = lines(run_dir / "judged" / "conversations_judged.jsonl")
    assert len(lines(run_dir / "conversations" / "conversations_raw.jsonl")) == len(judged) == 60
    embedded = lines(run_dir / "embedded" / "conversations_embedded.jsonl")
    assert {len(one["embedding"]) for one in embedded} == {1024}
    assert len(lines(run_dir / "deduplicated" / "conversations_deduplicated.jsonl")) >= 30
    final = lines(run_dir / "selected" / "conversations_final.jsonl")
    assert len(final) == 30
    assert {"place", "score", "judge", "diversity", "coverage"} == set(final[0]["selection"])


def test_all_that_an_accepted_assistant_says_stands_in_its_facts(made: tuple[Path, Result]) -> None:
    for one in lines(made[0] / "selected" / "conversations_final.jsonl"):
        facts = "\n".join(one["source_facts"])
        for message in one["messages"]:
            if message["role"] == "assistant":
                assert ungrounded(message["content"], facts) == []


def test_what_came_in_went_on_or_fell_away_at_every_stage(made: tuple[Path, Result]) -> None:
    for path in made[0].glob("*/*summary.json"):
        one = json.loads(path.read_text())
        assert one["in"] == one["kept"] + sum(one["dropped"].values()) + one["failed"], path


def test_the_report_shows_dialogues(made: tuple[Path, Result]) -> None:
    report = (made[0] / "analysis" / "report.html").read_text()
    assert '"turns"' in report
    stats = json.loads((made[0] / "analysis" / "statistics.json").read_text())
    assert stats["distribution"]["persona"]["widest_gap"] < 1
    assert stats["counts"]["type"] == {"conversation": 30}


def test_the_seed_decides_everything(made: tuple[Path, Result], tmp_path: Path) -> None:
    same = small("pipeline", tmp_path, "--skip-analysis")
    assert same.code == 0, same.err
    assert parquet(tmp_path / "run") == parquet(made[0])
    other = small("pipeline", tmp_path, "--skip-analysis", seed=7, output_dir=tmp_path / "other")
    assert other.code == 0, other.err
    assert parquet(tmp_path / "other") != parquet(made[0])


def test_a_second_run_asks_nothing(made: tuple[Path, Result], tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(made[0], copy)
    again = small("pipeline", tmp_path, "--skip-analysis")
    assert again.code == 0, again.err
    assert re.search(r"converse .* 0 new, 60 cached", again.err)
    assert not re.search(r"\| [1-9]\d* calls", again.err)


def test_a_killed_run_goes_on_to_the_same_dataset(
    made: tuple[Path, Result], tmp_path: Path
) -> None:
    given = overrides(**{**SMALL, "output_dir": tmp_path / "run"})
    arguments = ["pipeline", "--skip-analysis", "--config", str(CONFIG), *given]
    result, moments = chaos(arguments, tmp_path, kills=2, span_s=4.0)
    assert result.code == 0, result.err
    assert parquet(tmp_path / "run") == parquet(made[0]), f"killed after {moments}"


@pytest.mark.timeout(280)
def test_each_stage_runs_alone_and_the_end_is_the_same(
    made: tuple[Path, Result], tmp_path: Path
) -> None:
    for stage in ORDER[:-1]:
        done = small(stage, tmp_path)
        assert done.code == 0, done.err
    assert parquet(tmp_path / "run") == parquet(made[0])


def test_a_stage_before_its_time_says_what_to_run_first(tmp_path: Path) -> None:
    done = small("judge", tmp_path)
    assert done.code == 2
    assert "`converse` has not run" in done.err


def test_a_stage_of_another_recipe_is_refused(tmp_path: Path) -> None:
    done = small("parse", tmp_path)
    assert done.code == 2
    assert "'parse' is a stage of the recipe 'assistant'" in done.err
    assert "this configuration's is 'conversations'" in done.err


def test_a_trial_is_small_and_has_a_directory_of_its_own(tmp_path: Path) -> None:
    done = small(
        "pipeline", tmp_path, "--trial", "--skip-analysis", conversations__max_chunks=40,
        conversations__num_conversations=2000, conversations__top_k=1000,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert not (tmp_path / "run").exists()
    trial = tmp_path / "run-trial"
    assert len(lines(trial / "qa_pairs" / "qa_pairs.jsonl")) == 30
    written = json.loads((trial / "conversations" / "summary.json").read_text())
    assert written["in"] == 280
    assert len(lines(trial / "selected" / "conversations_final.jsonl")) == 140


def test_more_than_passed_keeps_all_and_says_so(made: tuple[Path, Result], tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "run")
    done = small("pipeline", tmp_path, "--skip-analysis", conversations__top_k=500)
    assert done.code == 1
    kept = len(lines(tmp_path / "run" / "selected" / "conversations_final.jsonl"))
    assert 30 < kept <= 60
    assert f"top_k is 500, and {kept} conversations passed: all of them are kept." in done.err
    assert re.search(rf"conversations +500 +60 +{kept} +{500 - kept}", done.err)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("conversations.styles", "[{name: a, weight: 0}]", "the weights sum to 0"),
        ("conversations.turns", "{1: 0}", "the weights sum to 0"),
        ("conversations.turns", "{9: 1}", "9 turns"),
        ("conversations.topics", "[{name: a, personas: [nobody]}]", "'nobody' is not one of"),
        ("conversations.personas", "[]", "the list is empty"),
        ("conversations.today", "soon", "'soon' is no day"),
        ("conversations.top_k", "0", "top_k"),
        ("conversations.input_modalities", "[{name: telepathy}]", "telepathy"),
        ("conversations.persona", "[]", "personas"),
        ("sources", "[]", "sources"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_said_before_anything_is_made(
    tmp_path: Path, setting: str, value: str, said: str
) -> None:
    done = run(
        "pipeline", "--config", str(CONFIG), "--set", f"{setting}={value}", "--set",
        f"output_dir={tmp_path / 'run'}", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 2, done.err
    assert said in done.err
    assert not (tmp_path / "run" / "qa_pairs").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is empty"), (b"\x89PNG\r\n\x1a\n\xff\xfe", "is no text"), (b"# Title\n", "no fact")],
)
def test_a_facts_file_that_cannot_be_used_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    facts = tmp_path / "facts.md"
    facts.write_bytes(data)
    done = small("pipeline", tmp_path, sources=f"[{{path: {facts}}}]")
    assert done.code == 2
    assert said in done.err
    assert str(facts) in done.err
    assert not (tmp_path / "run" / "qa_pairs").exists()


def test_a_real_endpoint_makes_what_the_model_behind_it_says(
    made: tuple[Path, Result], tmp_path: Path
) -> None:
    with Loopback(Served()) as server:
        endpoint = f"[{{name: m, base_url: {server.url}, api_key: sk-x, model_name: m}}]"
        done = small(
            "pipeline", tmp_path, "--skip-analysis", models__endpoints=endpoint,
            conversations__max_chunks=3, conversations__num_conversations=8,
            conversations__top_k=4,
        )  # fmt: skip
        assert done.code == 0, done.err
        assert server.count >= 3 + 9 + 8 + 8
    final = lines(tmp_path / "run" / "selected" / "conversations_final.jsonl")
    assert len(final) == 4
    assert "sk-x" not in (tmp_path / "run" / "run.json").read_text()


def test_the_shipped_configuration_is_checked_and_says_what_it_comes_to(tmp_path: Path) -> None:
    done = run("validate-config", "--config", str(CONFIG), cwd=tmp_path)
    assert done.code == 0, done.err
    assert re.search(r"1000 of 2000 conversations at most", done.out + done.err)


def test_the_shops_facts_have_more_than_a_hundred_bullets() -> None:
    facts = ROOT / "configs" / "quickstart" / "facts" / "tollgate_outdoor.md"
    assert len(re.findall(r"^- ", facts.read_text(), re.MULTILINE)) > 100


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.timeout(900)
def test_real_facts_end_with_the_asked_number_or_a_table(tmp_path: Path) -> None:
    facts = Path(os.environ["SYNTH_CORPUS"]) / "facts" / "saleor_commerce_facts.md"
    settings = overrides(
        sources=f"[{{path: {facts}}}]", output_dir=tmp_path / "run", tracking__enabled=False
    )
    done = run("pipeline", "--config", str(CONFIG), *settings, cwd=tmp_path, timeout_s=800)
    assert done.code in (0, 1), done.err
    kept = len(lines(tmp_path / "run" / "selected" / "conversations_final.jsonl"))
    assert kept == 1000 or "ended short of its target" in done.err
