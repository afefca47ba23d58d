"""A disk that runs full ends a run cleanly: one sentence, everything finished kept, and the same
command goes on once there is room."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from tests.commandline import Result, command, environment, overrides, run
from tests.commands.test_endpoints import Served
from tests.commands.test_kill import parquet
from tests.loopback import Loopback

SIZE_MB = 80
IN_FLIGHT = 2


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 80 MB in memory."""
    folder = tmp_path_factory.mktemp("disk")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={SIZE_MB}m,uid={os.getuid()}"
    mount = [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which(mount[0]) is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk needs root: run as root, or allow sudo without a password")
    yield folder
    subprocess.run([*as_root, "umount", "-l", str(folder)], check=True)


@dataclass(frozen=True)
class Filled:
    """A run whose disk was filled after some calls, and the same command with room again."""

    ended: Result
    again: Result
    repeated: int
    dataset: dict[str, str]


def fill(project: Path, disk: Path, *, after_calls: int, left_mb: int) -> Filled:
    """Run, fill the disk until `left_mb` are left, wait for the end, make room, run again."""
    with Loopback(Served(), latency_s=0.3) as server:
        settings = overrides(
            output_dir=disk / "run",
            models__endpoints=f"[{{name: all, base_url: '{server.url}', model_name: m}}]",
            generation__llm_concurrency=IN_FLIGHT,
        )
        arguments = ["pipeline", "--skip-analysis", "--config", "config.yaml", *settings]
        process = subprocess.Popen(
            command(*arguments), cwd=project, env=environment(), stderr=subprocess.PIPE, text=True
        )
        while server.count < after_calls and process.poll() is None:
            time.sleep(0.005)
        filler = disk / "filler"
        free = shutil.disk_usage(disk).free - (left_mb << 20)
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={filler}", "bs=4096", f"count={free // 4096 + 2}"],
            stderr=subprocess.DEVNULL,
            check=False,  # it ends when the disk is full
        )
        _, err = process.communicate(timeout=120)
        filler.unlink()
        again = run(*arguments, cwd=project)
        bodies = Counter(orjson.dumps(b, option=orjson.OPT_SORT_KEYS) for b in server.bodies)
    repeated = bodies.total() - len(bodies)
    return Filled(Result(process.returncode, "", err), again, repeated, parquet(disk / "run"))


@pytest.mark.slow
def test_a_full_disk_ends_the_run_with_one_sentence_and_loses_what_was_in_flight_only(
    project: Path, disk: Path
) -> None:
    found = fill(project, disk, after_calls=3, left_mb=0)
    assert found.ended.code == 2
    assert "Traceback" not in found.ended.err
    assert "full" in found.ended.err or "No space left" in found.ended.err
    assert found.again.code == 0, found.again.err
    assert found.repeated <= 2 * IN_FLIGHT
    assert found.dataset


@pytest.mark.slow
def test_a_disk_that_is_filling_up_stops_the_run_before_anything_is_lost(
    project: Path, disk: Path
) -> None:
    found = fill(project, disk, after_calls=3, left_mb=10)
    assert found.ended.code == 2
    assert "MiB are left" in found.ended.err
    assert "run the same command again" in found.ended.err
    assert found.again.code == 0, found.again.err
    assert found.repeated == 0


def test_a_run_is_refused_where_there_is_too_little_room(project: Path, disk: Path) -> None:
    with (disk / "filler").open("wb") as file:
        file.write(bytes((SIZE_MB - 20) << 20))
    settings = overrides(output_dir=disk / "run")
    result = run("pipeline", "--config", "config.yaml", *settings, cwd=project)
    assert result.code == 2
    assert "a run needs at least 64 MiB" in result.err


def test_a_full_disk_can_be_cleared(project: Path, disk: Path) -> None:
    (disk / "run" / "parsed").mkdir(parents=True)
    with (
        contextlib.suppress(OSError),
        (disk / "run" / "parsed" / "journal.jsonl").open("wb") as file,
    ):
        for _ in range(2 * SIZE_MB):
            file.write(bytes(1 << 20))
    settings = overrides(output_dir=disk / "run")
    result = run("cache-clear", "--config", "config.yaml", *settings, cwd=project)
    assert result.code == 0, result.err
    assert "cleared parsed/" in result.out
    assert shutil.disk_usage(disk).free > SIZE_MB * 900_000
