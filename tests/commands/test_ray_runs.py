"""Whole runs on Ray, as a user starts them, against a loopback server that counts every request."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.commandline import QUICKSTART, command, environment, overrides
from tests.commands.conftest import CONFIG
from tests.commands.test_endpoints import Served
from tests.loopback import Loopback, Prompt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONCURRENCY = 8
ON_RAY = ("--runner", "ray", "--ray-workers", "2")
_END_S = 240.0


class Timed(Served):
    """The offline model over HTTP, which notes when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def __call__(self, prompt: Prompt) -> str:
        self.times.append(time.monotonic())
        return super().__call__(prompt)


@dataclass(slots=True)
class Project:
    """A working directory, and the server that its configuration names."""

    cwd: Path
    server: Loopback
    backend: str

    def arguments(self, *options: str, **settings: object) -> list[str]:
        endpoint = f"[{{name: all, base_url: '{self.server.url}', model_name: m}}]"
        given: dict[str, object] = {
            "models__endpoints": endpoint,
            "sources": f"[{{path: '{QUICKSTART.parent / 'docs'}'}}]",
            "generation__target_samples": 12,
            "generation__type_allocations": "{qa: {ratio: 0.7, multimodal_ratio: 0.3}, "
            "summary: {ratio: 0.3}}",
            "generation__llm_concurrency": CONCURRENCY,
        }
        (self.cwd / "config.yaml").write_text(CONFIG.replace("BACKEND", self.backend))
        return command(
            "pipeline", "--skip-analysis", "--config", "config.yaml",
            *overrides(**{**given, **settings}), *options,
        )  # fmt: skip

    def start(self, *options: str, **settings: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.arguments(*options, **settings),
            cwd=self.cwd,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, **settings: object) -> tuple[int, str]:
        return ended(self.start(*options, **settings))

    def join(self, address: str, token: Mapping[str, str]) -> tuple[int, str]:
        arguments = self.arguments("--runner", "ray", "--ray-address", address)
        joined = subprocess.run(
            arguments,
            cwd=self.cwd,
            env=environment(token),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_END_S,
        )
        return joined.returncode, joined.stdout

    def dataset(self) -> dict[str, bytes]:
        files = (self.cwd / "outputs" / "small" / "final" / "data").glob("*.parquet")
        return {path.name: path.read_bytes() for path in files}

    def repeated(self) -> int:
        """Requests that the server got more than once."""
        bodies = Counter(json.dumps(body, sort_keys=True) for body in self.server.bodies)
        return sum(count - 1 for count in bodies.values())


Make = Callable[..., AbstractContextManager[Project]]
Whole = tuple[dict[str, bytes], int]


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a command and what it said, waiting for it."""
    try:
        said, _ = process.communicate(timeout=_END_S)
    finally:
        process.kill()
    return process.returncode, said


@pytest.fixture
def make_project(tmp_path: Path, sandbox_backend: str) -> Make:
    @contextmanager
    def made(name: str, model: Served | None = None) -> Iterator[Project]:
        (tmp_path / name).mkdir()
        with Loopback(model or Served(), latency_s=0.05) as server:
            yield Project(tmp_path / name, server, sandbox_backend)

    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, sandbox_backend: str) -> Whole:
    """The dataset of a local run that nobody disturbs, and how many requests it took."""
    with Loopback(Served()) as server:
        project = Project(tmp_path_factory.mktemp("whole"), server, sandbox_backend)
        code, said = project.run()
        assert code == 0, said
        return project.dataset(), server.count


def descendants(pid: int) -> list[int]:
    """Every process below `pid`."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    below, found = [pid], list[int]()
    while below:
        children = parents.get(below.pop(), [])
        found += children
        below += children
    return found


def workers(pid: int) -> list[int]:
    """The workers of a run."""
    found = []
    for one in descendants(pid):
        try:
            title = Path(f"/proc/{one}/cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::WorkerActor"):
            found.append(one)
    return found


def is_agent(pid: int) -> bool:
    """Whether it is one of Ray's own agents, which look for a lost node once a minute only."""
    title = Path(f"/proc/{pid}/cmdline").read_bytes()
    return title.startswith((b"ray::DashboardAgent", b"ray::RuntimeEnvAgent"))


def wait_for(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _END_S
    while not true() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert true(), process.poll()


def asked(server: Loopback, count: int) -> bool:
    return server.count >= count


def all_gone(pids: list[int], patience_s: float = 30.0) -> bool:
    deadline = time.monotonic() + patience_s
    while alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return not alive


def test_a_run_on_ray_makes_the_bytes_of_a_local_one(make_project: Make, whole: Whole) -> None:
    with make_project("ray") as project:
        code, said = project.run(*ON_RAY)
        assert code == 0, said
        assert (project.dataset(), project.repeated()) == (whole[0], 0)


def test_killed_workers_repeat_at_most_the_calls_in_flight(
    make_project: Make, whole: Whole
) -> None:
    kills = 3
    with make_project("killed") as project:
        process = project.start(*ON_RAY)
        for kill in range(kills):
            mark = (kill + 1) * whole[1] // (kills + 2)
            wait_for(partial(asked, project.server, mark), process)
            wait_for(lambda: len(workers(process.pid)) == 2, process)
            os.kill(workers(process.pid)[kill % 2], signal.SIGKILL)
        code, said = ended(process)
        assert code == 0, said
        assert project.dataset() == whole[0]
        assert project.repeated() <= kills * CONCURRENCY
        assert said.count("another takes its place") == kills
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


@contextmanager
def head(token: Mapping[str, str]) -> Iterator[str]:
    """A cluster of this machine alone that belongs to nobody's run; its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="head-", dir="/tmp") as folder:
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("ray"), "start", "--head", "--block",
                "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2",
                "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}",
            ],
            env=environment(token),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ray runtime started" in line:
                    break
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_cluster_that_is_running_is_joined_and_left_running(
    make_project: Make, whole: Whole
) -> None:
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with head(token) as address, make_project("joined") as project:
        code, said = project.join(address, token)
        assert code == 0, said
        assert project.dataset() == whole[0]
        socket.create_connection(("127.0.0.1", int(address.partition(":")[2])), 5).close()


def test_requests_a_minute_hold_for_all_workers_together(make_project: Make) -> None:
    a_minute, model = 240, Timed()
    with make_project("paced", model) as project:
        endpoint = (
            f"[{{name: all, base_url: '{project.server.url}', model_name: m, "
            f"requests_per_minute: {a_minute}}}]"
        )
        code, said = project.run(*ON_RAY, models__endpoints=endpoint, generation__target_samples=2)
    assert code in (0, 1), said
    span_s = max(model.times) - min(model.times)
    assert len(model.times) > 20
    # Evenly spread: one at once, and then one every quarter of a second; 1 s for how they travel.
    assert len(model.times) <= 1 + (span_s + 1) * a_minute / 60


def test_a_budget_holds_for_all_workers_together(make_project: Make) -> None:
    tokens, a_call = 20_000, 120  # the server reports 100 + 20 for each
    with make_project("limited") as project:
        code, said = project.run(*ON_RAY, generation__max_tokens_total=tokens)
        assert code == 1, said
        assert "The budget is reached" in said
        assert project.server.count * a_call <= tokens
