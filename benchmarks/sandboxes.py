"""A verification in the warm pool, beside a process each and a container each.

All of them run the same program with the same test. A bare process isolates nothing and is there as
the floor; `docker run` each time is what the pool of warm containers replaces.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.table import Group, Row
from sandbox import Job, Sandbox, SandboxUnavailable, open_sandbox
from sandbox.bwrap_backend import check_bwrap
from sandbox.docker_backend import LABEL, connect
from sandbox.images import ensure_image
from sandbox.opening import BackendName

SOLUTION = "def double(x):\n    return 2 * x\n"
TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n"
JOB = Job(SOLUTION, TEST, "double", timeout_s=10.0)
PROGRAM = f"{SOLUTION}\n{TEST}\ncheck(double)\n"

Say = Callable[[str], None]


def verifications(say: Say, *, repetitions: int = 7, burst: int = 20) -> Group:
    """One round after another does one of each, so that what else runs here slows all alike."""
    image = _image(say)
    backend = _backend(say, image)
    times: dict[str, list[float]] = {"process": [], "one": [], "burst": [], "container": []}
    if backend:
        asyncio.run(_rounds(backend, image, times, repetitions, burst, say))
    else:
        for _ in range(repetitions):
            times["process"].append(_timed(_bare_process))
    rows = [Row("a bare process each (no isolation)", times["process"])]
    if backend:
        cores = os.cpu_count() or 1
        rows.append(Row(f"the pool, one at a time ({backend})", times["one"], 10))
        rows.append(Row(f"the pool, {cores} workers ({backend})", times["burst"], burst))
    if times["container"]:
        rows.append(Row("docker run each", times["container"]))
    return Group("verify a program", rows)


async def _rounds(
    backend: BackendName,
    image: str,
    times: dict[str, list[float]],
    repetitions: int,
    burst: int,
    say: Say,
) -> None:
    async with open_sandbox(backend, on_progress=say) as box:
        await asyncio.gather(*(_verify(box) for _ in range(2 * (os.cpu_count() or 1))))  # warm
        for _ in range(repetitions):
            times["process"].append(_timed(_bare_process))
            start = time.perf_counter()
            for _ in range(10):
                await _verify(box)
            times["one"].append(time.perf_counter() - start)
            start = time.perf_counter()
            await asyncio.gather(*(_verify(box) for _ in range(burst)))
            times["burst"].append(time.perf_counter() - start)
            if image and shutil.which("docker"):
                times["container"].append(_timed(lambda: _container(image)))


async def _verify(box: Sandbox) -> None:
    verdict = await box.verify(JOB)
    if not verdict.passed:
        raise RuntimeError(f"an honest program did not pass: {verdict.reason} {verdict.message}")


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _bare_process() -> None:
    subprocess.run([sys.executable, "-I", "-c", PROGRAM], check=True)


def _container(image: str) -> None:
    command = ["docker", "run", "--rm", "--network", "none", "--label", LABEL]
    command += ["--entrypoint", "python3", image, "-I", "-c", PROGRAM]
    subprocess.run(command, check=True, capture_output=True)


def _image(say: Say) -> str:
    try:
        client = connect(5)
    except SandboxUnavailable as error:
        say(f"{error}: docker is left out")
        return ""
    try:
        return ensure_image(client, on_progress=say)
    finally:
        client.close()


def _backend(say: Say, image: str) -> BackendName | None:
    if image:
        return "docker"
    try:
        check_bwrap()
    except SandboxUnavailable as error:
        say(f"{error}: the pool is left out")
        return None
    return "bwrap"
