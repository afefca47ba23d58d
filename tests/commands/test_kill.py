"""`kill -9` at any moment, and the same command again: the dataset of an uninterrupted run."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.commandline import (
    QUICKSTART,
    Result,
    command,
    environment,
    kill_group,
    overrides,
    run,
    started,
)
from tests.commands.conftest import Quickstart


def parquet(run_dir: Path) -> dict[str, str]:
    """Hash of every Parquet file of a dataset."""
    files = sorted((run_dir / "final" / "data").glob("*.parquet"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def killed(arguments: Sequence[str], cwd: Path, after_s: float) -> bool:
    """Start a command and kill its whole process group; False when it ended before."""
    process = started(*arguments, cwd=cwd)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        return True
    return False


def chaos(
    arguments: Sequence[str], cwd: Path, kills: int, span_s: float
) -> tuple[Result, list[float]]:
    """Kill a command `kills` times at random moments, then let it end."""
    chance = random.Random()
    moments = [chance.uniform(0.5, span_s) for _ in range(kills)]
    for moment in moments:
        killed(arguments, cwd, moment)
    return run(*arguments, cwd=cwd), moments


def test_a_killed_run_goes_on_to_the_same_dataset(
    project: Path, small: Callable[..., Result], tmp_path_factory: pytest.TempPathFactory
) -> None:
    started = time.monotonic()
    whole = small("pipeline", "--skip-analysis")
    span_s = time.monotonic() - started
    assert whole.code == 0, whole.err
    expected = parquet(project / "outputs" / "small")
    assert expected
    elsewhere = overrides(output_dir=tmp_path_factory.mktemp("killed") / "run")
    arguments = ["pipeline", "--skip-analysis", "--config", "config.yaml", *elsewhere]
    result, moments = chaos(arguments, project, kills=2, span_s=span_s)
    assert result.code == 0, result.err
    assert parquet(Path(elsewhere[1].partition("=")[2])) == expected, f"killed after {moments}"


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_quickstart_killed_many_times_is_byte_for_byte_the_same(
    quickstart: Quickstart, sandbox_backend: str, tmp_path: Path
) -> None:
    backend = overrides(sandbox__backend=sandbox_backend, tracking__enabled=False)
    arguments = ["pipeline", "--config", str(QUICKSTART), *backend]
    result, moments = chaos(arguments, tmp_path, kills=8, span_s=20.0)
    assert result.code == 0, result.err
    run_dir = tmp_path / "outputs" / "quickstart"
    assert parquet(run_dir) == parquet(quickstart.run_dir), f"killed after {moments}"


def test_one_interrupt_keeps_everything_and_ends_with_130(project: Path) -> None:
    arguments = command("pipeline", "--skip-analysis", "--config", "config.yaml")
    process = subprocess.Popen(
        arguments, cwd=project, env=environment(), stderr=subprocess.PIPE, text=True
    )
    run_dir = project / "outputs" / "small"
    deadline = time.monotonic() + 60
    while not (run_dir / "run.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, 0), err
    if process.returncode == 130:
        assert "Everything finished is kept" in err
    again = run("pipeline", "--skip-analysis", "--config", "config.yaml", cwd=project)
    assert again.code == 0, again.err


def test_a_second_run_in_the_same_directory_is_refused(project: Path) -> None:
    import fcntl

    run_dir = project / "outputs" / "small"
    run_dir.mkdir(parents=True)
    with (run_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 4711 on elsewhere")
        lock.flush()
        result = run("pipeline", "--skip-analysis", "--config", "config.yaml", cwd=project)
    assert result.code == 2
    assert "in use by process 4711 on elsewhere" in result.err
