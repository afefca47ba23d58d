"""A sandbox that dies for good in the middle of a run: all that is finished is kept."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commandline import QUICKSTART, Result, command, environment, overrides, run
from tests.commands.test_kill import parquet
from tests.sandbox.engine import Engine

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

ARGUMENTS = [
    "pipeline", "--skip-analysis", "--config", str(QUICKSTART),
    *overrides(generation__target_samples=10, sandbox__backend="docker", tracking__enabled=False),
]  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path / "engine.sock")
    made.start()
    yield made
    made.stop()


def lines(journal: Path) -> int:
    """How many records a stage has finished."""
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def broken_off(engine: Engine, cwd: Path) -> Result:
    """A run whose engine goes away once the first answers are verified."""
    answers = cwd / "outputs" / "quickstart" / "answered" / "journal.jsonl"
    with subprocess.Popen(
        command(*ARGUMENTS), cwd=cwd, env=environment({"DOCKER_HOST": engine.host}),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 120
        while lines(answers) < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        engine.stop()
        _, err = process.communicate(timeout=120)
    return Result(process.returncode, "", err)


def test_a_run_that_loses_its_sandbox_keeps_all_and_ends_in_the_same_dataset(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole, cwd = (tmp_path_factory.mktemp(name) for name in ("whole", "broken"))
    assert run(*ARGUMENTS, cwd=whole).code == 0
    lost = broken_off(engine, cwd)
    assert lost.code == 2, lost.err
    assert "The sandbox broke and could not be started again" in lost.err
    assert "Everything finished is kept" in lost.err
    kept = lines(cwd / "outputs" / "quickstart" / "answered" / "journal.jsonl")
    assert kept >= 3
    engine.start()
    again = run(*ARGUMENTS, cwd=cwd, env={"DOCKER_HOST": engine.host})
    assert again.code == 0, again.err
    run_dir = cwd / "outputs" / "quickstart"
    summary = json.loads((run_dir / "answered" / "summary.json").read_text())
    assert summary["failed"] == 0
    assert parquet(run_dir) == parquet(whole / "outputs" / "quickstart")
