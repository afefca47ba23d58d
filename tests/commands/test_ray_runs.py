"""Runs on Ray that are killed or interrupted: the bytes of a local run, and only calls in flight
asked again. The server's own count of requests is the evidence."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.commands.ray_projects import (
    CONCURRENCY,
    ON_RAY,
    Project,
    all_gone,
    descendants,
    ended,
    is_agent,
    wait_for,
    workers,
)
from tests.commands.test_endpoints import Served
from tests.loopback import Loopback

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 9
_LATENCY_S = 0.05
_KILLED_LATENCY_S = 0.4

Make = Callable[..., AbstractContextManager[Project]]
Whole = tuple[dict[str, bytes], int]


@pytest.fixture
def make_project(tmp_path: Path, sandbox_backend: str) -> Make:
    @contextmanager
    def made(name: str, latency_s: float = _LATENCY_S) -> Iterator[Project]:
        (tmp_path / name).mkdir()
        with Loopback(Served(), latency_s=latency_s) as server:
            yield Project(tmp_path / name, server, sandbox_backend)

    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, sandbox_backend: str) -> Whole:
    """The dataset of a local run that nobody disturbs, and how many requests it took."""
    with Loopback(Served()) as server:
        project = Project(tmp_path_factory.mktemp("whole"), server, sandbox_backend)
        code, said = project.run()
        assert code == 0, said
        assert project.repeated() == 0
        return project.dataset(), server.count


def asked(server: Loopback, count: int) -> bool:
    """Whether the server got so many requests."""
    return server.count >= count


def test_killed_workers_repeat_at_most_the_calls_in_flight(
    make_project: Make, whole: Whole
) -> None:
    seed = random.getrandbits(32)
    chance, killed = random.Random(seed), set[int]()

    def alive() -> list[int]:
        return [pid for pid in workers(process.pid) if pid not in killed]

    with make_project("killed", _KILLED_LATENCY_S) as project:
        process = project.start(*ON_RAY)
        for kill in range(KILLS):
            mark = (kill + 1) * whole[1] // (KILLS + 2)
            wait_for(partial(asked, project.server, mark), process)
            time.sleep(chance.uniform(0.0, _KILLED_LATENCY_S))
            wait_for(lambda: bool(alive()), process)
            # The oldest: a record that is always with the one that dies would be given up.
            killed.add(oldest := alive()[0])
            os.kill(oldest, signal.SIGKILL)
        code, said = ended(process)
        assert code == 0, f"seed {seed}: {said}"
        assert project.dataset() == whole[0], f"seed {seed}"
        assert project.repeated() <= KILLS * CONCURRENCY, f"seed {seed}"
        assert said.count("another takes its place") == KILLS
        assert "raylet" not in said


def test_a_killed_run_leaves_no_process_and_a_local_one_goes_on(
    make_project: Make, whole: Whole
) -> None:
    with make_project("left") as project:
        process = project.start(*ON_RAY)
        wait_for(lambda: project.server.count >= whole[1] // 2, process)
        below = [pid for pid in descendants(process.pid) if not is_agent(pid)]
        process.kill()
        process.communicate()
        assert all_gone(below)
        code, said = project.run()
        assert code == 0, said
        assert project.dataset() == whole[0]
        assert project.repeated() <= CONCURRENCY


def test_one_ctrl_c_ends_a_run_on_ray_with_everything_kept(
    make_project: Make, whole: Whole
) -> None:
    with make_project("interrupted") as project:
        process = project.start(*ON_RAY)
        wait_for(lambda: project.server.count >= whole[1] // 2, process)
        below = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        code, said = ended(process)
        assert code == 130, said
        assert all_gone(below)
        code, said = project.run(*ON_RAY)
        assert code == 0, said
        assert (project.dataset(), project.repeated()) == (whole[0], 0)
