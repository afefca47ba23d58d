"""One warm sandbox a backend for the whole run; a missing engine skips, or fails where required."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sandbox import Job, Limits, SandboxUnavailable, Verdict, open_sandbox
from sandbox.docker_backend import POOL_LABEL, DockerBackend, connect
from sandbox.pool import Pool

LIMITS = Limits(timeout_s=10.0, memory_mb=256, address_space_mb=2048, output_kb=128)
T = TypeVar("T")


def containers(pool: Pool | str) -> set[str]:
    """Ids of a pool's containers, running or not."""
    if isinstance(pool, Pool):
        assert isinstance(pool.backend, DockerBackend)
        pool = pool.backend.name
    client = connect()
    filters: dict[str, str | list[str] | bool] = {"label": f"{POOL_LABEL}={pool}"}
    found = client.containers.list(all=True, filters=filters, ignore_removed=True)
    client.close()
    return {str(container.id) for container in found}


class Runner:
    """A pool and an event loop of its own, so that tests stay plain functions."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.loop = asyncio.new_event_loop()

    def verify(self, solution: str, test: str, **job: object) -> Verdict:
        return self.loop.run_until_complete(self.pool.verify(Job(solution, test, **job)))  # type: ignore[arg-type]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.loop.run_until_complete(self.pool.aclose())
        self.loop.close()


@pytest.fixture(scope="session")
def process() -> Iterator[Runner]:
    """The unsafe backend: for honest code only."""
    runner = Runner(open_sandbox("process", limits=LIMITS, workers=1))
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def docker_pool() -> Iterator[Runner]:
    """Two containers."""
    try:
        runner = Runner(open_sandbox("docker", limits=LIMITS, workers=2))
    except SandboxUnavailable as error:
        if os.environ.get("SYNTH_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(f"{error}; start one (Debian: apt-get install docker.io, then dockerd)")
    yield runner
    runner.close()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder, with one package: `boxed==1.0`, whose VALUE is 7."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "boxed-1.0.dist-info"
    files = {
        "boxed.py": "VALUE = 7\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: boxed\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / "boxed-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in files))
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder
