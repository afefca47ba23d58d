"""Runs on Ray as a user starts them, for tests: projects, a cluster to join, and its processes."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.commandline import QUICKSTART, command, environment, overrides
from tests.commands.conftest import CONFIG
from tests.loopback import Loopback

TEXT_CALLS, PICTURE_CALLS = 6, 2
CONCURRENCY = TEXT_CALLS + PICTURE_CALLS
"""Calls in flight at most: calls with pictures have a lane of their own."""

ON_RAY = ("--runner", "ray", "--ray-workers", "2")
_END_S = 240.0


@dataclass(frozen=True, slots=True)
class Joined:
    """A cluster of this machine alone that belongs to no run."""

    address: str
    token: Mapping[str, str]

    def run(self, *arguments: str, cwd: Path) -> tuple[int, str]:
        """The exit code of a command that joins the cluster, and what it said."""
        joining = ("--runner", "ray", "--ray-address", self.address)
        return ended(started(command(*arguments, *joining), cwd, self.token))

    def answers(self) -> bool:
        """Whether the cluster is there."""
        host, _, port = self.address.partition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0


@dataclass(slots=True)
class Project:
    """A working directory of the recipe `assistant`, and the server that its model is behind."""

    cwd: Path
    server: Loopback
    backend: str

    def arguments(self, *options: str, **settings: object) -> list[str]:
        """The arguments of its pipeline."""
        endpoint = f"[{{name: all, base_url: '{self.server.url}', model_name: m}}]"
        given: dict[str, object] = {
            "models__endpoints": endpoint,
            "sources": f"[{{path: '{QUICKSTART.parent / 'docs'}'}}]",
            "generation__target_samples": 12,
            "generation__type_allocations": "{qa: {ratio: 0.7, multimodal_ratio: 0.3}, "
            "summary: {ratio: 0.3}}",
            "generation__llm_concurrency": TEXT_CALLS,
            "generation__vlm_concurrency": PICTURE_CALLS,
        }
        (self.cwd / "config.yaml").write_text(CONFIG.replace("BACKEND", self.backend))
        return [
            "pipeline", "--skip-analysis", "--config", "config.yaml",
            *overrides(**{**given, **settings}), *options,
        ]  # fmt: skip

    def start(self, *options: str, **settings: object) -> subprocess.Popen[str]:
        """Its pipeline, under way."""
        return started(command(*self.arguments(*options, **settings)), self.cwd)

    def run(self, *options: str, **settings: object) -> tuple[int, str]:
        """The exit code of its pipeline, and what it said."""
        return ended(self.start(*options, **settings))

    def dataset(self) -> dict[str, bytes]:
        """The Parquet files that it made."""
        files = (self.cwd / "outputs" / "small" / "final" / "data").glob("*.parquet")
        return {path.name: path.read_bytes() for path in files}

    def repeated(self) -> int:
        """How many requests the server got again."""
        bodies = Counter(json.dumps(body, sort_keys=True) for body in self.server.bodies)
        return sum(count - 1 for count in bodies.values())


def started(
    arguments: list[str], cwd: Path, extra: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A command under way."""
    return subprocess.Popen(
        arguments, cwd=cwd, env=environment(extra), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a command and what it said, waiting for it."""
    try:
        said, _ = process.communicate(timeout=_END_S)
    finally:
        process.kill()
    return process.returncode, said


def wait_for(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is true; it must be so before the process ends."""
    deadline = time.monotonic() + _END_S
    while not true() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if not true():
        process.kill()
        raise AssertionError(f"it did not come to that; the run said: {process.communicate()[0]}")


@contextmanager
def a_cluster() -> Iterator[Joined]:
    """A head of its own, with a token, that is ended at last."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="head-", dir="/tmp") as folder:
        head = [
            str(Path(sys.executable).with_name("ray")), "start", "--head", "--block",
            "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2",
            "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}",
        ]  # fmt: skip
        process = started(head, Path(folder), token)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ray runtime started" in line:
                    break
            yield Joined(f"127.0.0.1:{port}", token)
        finally:
            process.terminate()
            process.communicate()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


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
    """The workers of a run that are alive, the oldest first."""
    found = [one for one in descendants(pid) if _title(one).startswith(b"ray::WorkerActor")]
    return sorted(found, key=_begun)


def is_agent(pid: int) -> bool:
    """Whether it is one of Ray's own agents, which look for a lost node once a minute only."""
    return _title(pid).startswith((b"ray::DashboardAgent", b"ray::RuntimeEnvAgent"))


def _begun(pid: int) -> int:
    """When a process began, in ticks; one that has ended meanwhile comes last."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return sys.maxsize
    return int(stat.rpartition(")")[2].split()[19])


def _title(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def all_gone(pids: list[int], patience_s: float = 30.0) -> bool:
    """Whether every process ends, waiting for it."""
    deadline = time.monotonic() + patience_s
    while alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return not alive
