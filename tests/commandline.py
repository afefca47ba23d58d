"""Runs the command line as a user does: a process of its own, in a working directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = ROOT / "configs" / "quickstart" / "config.yaml"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left."""

    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: the repository on the path, nothing that colours output."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "COLUMNS"))}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **(extra or {})}


def command(*arguments: str) -> list[str]:
    """The argument vector of a command."""
    return [sys.executable, "-m", "synth_dspy.run", *arguments]


def run(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, timeout_s: float = 280
) -> Result:
    """Run one command to its end."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def started(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own; what it says is not heard."""
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that was `started`, and all that it started, as `kill -9` does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def overrides(**settings: object) -> list[str]:
    """`--set` arguments; a double underscore stands for the dot."""
    return [
        part
        for name, value in settings.items()
        for part in ("--set", f"{name.replace('__', '.')}={value}")
    ]
