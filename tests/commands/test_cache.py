"""What is stored, clearing it, and running without it or after failures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from synth_dspy.runners.workbench import GIVEN_UP_AFTER
from tests.commandline import Result, run
from tests.commands.test_stages import STAGES, asked

Small = Callable[..., Result]


@pytest.fixture
def finished(project: Path, small: Small) -> Path:
    """The run directory of a finished run."""
    result = small("pipeline", "--skip-analysis")
    assert result.code == 0, result.err
    return project / "outputs" / "small"


def test_cache_info_prints_a_line_a_stage_and_a_source(finished: Path, small: Small) -> None:
    lines = [json.loads(line) for line in small("cache-info", "--json").out.splitlines()]
    assert [line["stage"] for line in lines] == [*STAGES[:-1], "replies"]
    assert all(line["bytes"] > 0 for line in lines)
    (source,) = lines[0]["sources"]
    assert (source["source"], source["files"]) == ("docs", 1)
    assert time.time() - 120 < source["processed"] <= time.time()
    shown = small("cache-info").out.splitlines()
    assert [line.split()[:4] for line in shown if line.startswith("source")] == [
        ["source", "docs", "1", "files"]
    ]


def test_a_list_of_keys_that_is_none_is_named(finished: Path, small: Small) -> None:
    (finished / "parsed" / "journal.keys").write_bytes(b"\xff\x00\xfe")
    result = small("cache-info")
    assert result.code == 2
    assert "journal.keys is no list of keys" in " ".join(result.err.split())


def test_no_cache_does_everything_again_and_keeps_what_was_there(
    finished: Path, small: Small
) -> None:
    again = small("pipeline", "--skip-analysis", "--no-cache")
    assert all(new > 0 for new in asked(again).values())
    assert len(list((finished / "curated").glob("journal.jsonl.*.old"))) == 1
    told = small("cache-info").out
    assert "replies.1" in told
    assert "put aside by --no-cache" in told


def test_clearing_one_stage_does_that_stage_again(finished: Path, small: Small) -> None:
    assert small("cache-clear", "--stage", "chunk").out == "cleared chunks/\n"
    new = asked(small("pipeline", "--skip-analysis"))
    assert new["chunk"] == 1
    assert new["parse"] == new["plan"] == 0


def test_clearing_all_keeps_the_dataset_and_the_replies_unless_asked(
    finished: Path, small: Small
) -> None:
    told = small("cache-clear").out
    assert "kept final/ (--all clears it, too)" in told
    assert sorted(path.name for path in finished.iterdir() if path.is_dir()) == ["final", "traces"]
    assert (finished / "replies.sqlite").exists()
    assert small("cache-clear", "--all", "--replies").code == 0
    assert not (finished / "final").exists()
    assert not list(finished.glob("replies.sqlite*"))


def test_the_replies_of_a_calibration_are_shown_and_cleared_too(
    project: Path, finished: Path, small: Small
) -> None:
    assert run("gold", "calibrate", "--config", "config.yaml", cwd=project).code == 0
    assert "calibrate/replies " in small("cache-info").out
    assert small("cache-clear", "--replies").code == 0
    assert not list(finished.rglob("replies.sqlite*"))


def test_a_run_within_a_runs_directory_keeps_its_replies(finished: Path, small: Small) -> None:
    within = ("--set", f"output_dir={finished / 'within'}")
    assert small("parse", *within).code == 0
    assert small("transcribe", *within).code == 0
    assert "within" not in small("cache-info").out
    assert small("cache-clear", "--replies").code == 0
    assert (finished / "within" / "replies.sqlite").exists()
    assert not (finished / "replies.sqlite").exists()


def test_replies_that_runs_share_are_shown_and_left_alone(project: Path, small: Small) -> None:
    shared = project / "shared.sqlite"
    to = ("--set", "replies.path=shared.sqlite")
    assert small("parse", *to).code == 0
    assert small("transcribe", *to).code == 0
    assert "shared shared.sqlite" in small("cache-info", *to).out
    told = small("cache-clear", "--replies", *to).out
    assert "kept shared.sqlite: other runs may share it" in told
    assert shared.exists()


def test_clear_cache_does_the_stages_that_are_run_again_and_no_other(
    finished: Path, small: Small
) -> None:
    parquet = {path: path.read_bytes() for path in (finished / "final").rglob("*.parquet")}
    new = asked(small("curate", "--clear-cache"))
    assert list(new) == ["curate"]
    assert new["curate"] > 0
    assert asked(small("export", "--clear-cache"))["export"] > 0
    assert {path: path.read_bytes() for path in parquet} == parquet
    assert not any(asked(small("pipeline", "--skip-analysis")).values())


def test_a_damaged_journal_ends_with_one_sentence_that_says_what_to_do(
    finished: Path, small: Small
) -> None:
    journal = finished / "planned" / "journal.jsonl"
    lines = journal.read_text().count("\n")
    with journal.open("a") as file:
        file.write("garbage line\n")
    result = small("pipeline", "--skip-analysis")
    assert result.code == 2
    assert "Traceback" not in result.err
    assert f"planned/journal.jsonl is damaged in line {lines + 1}" in result.err
    assert "Delete that line and run again" in result.err
    journal.write_text(journal.read_text().replace("garbage line\n", ""))
    assert not any(asked(small("pipeline", "--skip-analysis")).values())


def test_failures_that_were_given_up_are_started_over_when_asked(
    finished: Path, small: Small
) -> None:
    journal = finished / "curated" / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    failed = {"reason": "timeout", "error": "no answer", "retryable": True}
    with journal.open("a") as file:
        for line in lines:
            entry = {"key": line["key"], "failed": failed, "meta": {"tries": GIVEN_UP_AFTER}}
            file.write(json.dumps(entry, separators=(",", ":")) + "\n")
    given_up = small("generate")
    assert asked(given_up)["curate"] == 0
    assert "failed (timeout" in given_up.err
    over = small("generate", "--retry-failed")
    assert asked(over)["curate"] > 0
    assert "failed (timeout" not in over.err
