"""Ctrl+C while an endpoint keeps everybody waiting."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.commandline import command, environment, overrides
from tests.loopback import Loopback, Reply

BUSY = Reply('{"error": {"message": "later"}}', status=429, headers={"retry-after": "3600"})


@pytest.fixture
def waiting(project: Path) -> list[str]:
    """The command whose calls will all be told to come back in an hour."""
    with Loopback(lambda prompt: BUSY) as server:
        endpoint = f"[{{name: all, base_url: '{server.url}', model_name: busy}}]"
        arguments = command(
            "pipeline", "--skip-analysis", "--config", "config.yaml",
            *overrides(models__endpoints=endpoint),
        )  # fmt: skip
        process = subprocess.Popen(
            arguments, cwd=project, env=environment(), stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        while not server.count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=50)  # each wait would take a minute
        finally:
            process.kill()
    return [str(process.returncode), err]


def test_one_ctrl_c_ends_every_wait_and_fails_no_record(waiting: list[str], project: Path) -> None:
    code, err = waiting
    assert code == "130", err
    assert "Everything finished is kept" in err
    summaries = [
        json.loads(path.read_text()) for path in (project / "outputs").rglob("summary.json")
    ]
    assert summaries
    assert {summary["failed"] for summary in summaries} == {0}


def _heeds_ctrl_c() -> None:
    # Tests that a shell started in the background ignore it, and so would what they start.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupted_in_imports(project: Path, times: int) -> tuple[int, str]:
    """The pipeline's code and words when Ctrl+C is pressed while its libraries are imported."""
    process = subprocess.Popen(
        command("pipeline", "--config", "config.yaml"), cwd=project, env=environment(),
        stderr=subprocess.PIPE, text=True, preexec_fn=_heeds_ctrl_c,
    )  # fmt: skip
    try:
        maps = Path(f"/proc/{process.pid}/maps")
        deadline = time.monotonic() + 60
        while "pydantic_core" not in maps.read_text() and time.monotonic() < deadline:
            time.sleep(0.001)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        _, err = process.communicate(timeout=50)
    finally:
        process.kill()
    return process.returncode, err


def test_ctrl_c_while_libraries_are_imported_ends_without_a_traceback(project: Path) -> None:
    code, err = _interrupted_in_imports(project, 1)
    assert code == 130, err
    assert "Traceback" not in err


def test_ctrl_c_twice_while_libraries_are_imported_ends_without_a_traceback(project: Path) -> None:
    code, err = _interrupted_in_imports(project, 2)
    assert code in (130, -signal.SIGINT), err  # a shell says 130 of both
    assert "Traceback" not in err
