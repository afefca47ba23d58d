"""Containers come when they are needed, and go whatever becomes of us."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sandbox
from sandbox import Job, SandboxError, SandboxUnavailable, open_sandbox
from sandbox.docker_backend import connect
from sandbox.images import ensure_image, image_name
from tests.sandbox.conftest import Runner, containers

pytestmark = pytest.mark.docker

HONEST = Job("def f(): return 1\n", "assert f() == 1\n", timeout_s=5.0)
CLIENT = """
import asyncio, sys, time
from sandbox import Job, open_sandbox
async def main():
    box = open_sandbox("docker", workers=1)
    await box.verify(Job("def f(): return 1", "assert f() == 1"))
    print(box.backend.name, flush=True)
    if sys.argv[1] == "busy":
        await box.verify(Job("def f():\\n    while True: pass", "assert f() == 1", timeout_s=3.0))
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_closing_leaves_no_container(docker_pool: Runner) -> None:
    async def use() -> tuple[int, int]:
        box = open_sandbox("docker", workers=2)
        await asyncio.gather(*(box.verify(HONEST) for _ in range(4)))
        used = len(containers(box))
        await box.aclose()
        return used, len(containers(box))

    used, left = asyncio.run(use())
    assert used >= 1
    assert left == 0


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_client_that_is_killed_leaves_no_container(docker_pool: Runner, state: str) -> None:
    root = Path(sandbox.__file__).parent.parent
    command = [sys.executable, "-c", CLIENT, state]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        name = client.stdout.readline().strip()
        assert containers(name)
        time.sleep(0.3)
        client.kill()
    deadline = time.monotonic() + 20
    while containers(name) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not containers(name)


@pytest.mark.parametrize("harm", ["kill", pytest.param("pause", marks=pytest.mark.slow)])
def test_a_container_that_is_harmed_is_replaced(docker_pool: Runner, harm: str) -> None:
    async def use() -> tuple[str, int]:
        async with open_sandbox("docker", workers=1) as box:
            await box.verify(HONEST)
            (mine,) = containers(box)
            client = connect()
            getattr(client.containers.get(mine), harm)()
            client.close()
            verdict = await box.verify(HONEST)
            return verdict.reason, len(containers(box) - {mine})

    assert asyncio.run(use()) == ("ok", 1)


def test_a_job_finds_nothing_that_another_left(docker_pool: Runner) -> None:
    leave = "open('/tmp/left', 'w').close()\nopen('/dev/shm/left', 'w').close()\n"
    look = ["[n for d in ('/tmp', '/dev/shm') for n in os.listdir(d) if 'left' in n]"]
    pool = docker_pool.pool
    for _ in range(pool.workers):
        docker_pool.run(pool.evaluate(leave, ["1"]))
    for _ in range(pool.workers):
        (found,) = docker_pool.run(pool.evaluate("import os\n", look))  # type: ignore[misc]
        assert found.value == "[]"


def test_an_existing_image_is_not_built_again(docker_pool: Runner) -> None:
    client = connect()
    said: list[str] = []
    assert ensure_image(client, on_progress=said.append) == image_name()
    client.close()
    assert said == []


def test_a_base_image_that_is_nowhere_is_named(docker_pool: Runner) -> None:
    with pytest.raises(SandboxUnavailable, match="synth-dspy-nosuch:1"):
        open_sandbox("docker", base="synth-dspy-nosuch:1")


def test_a_preloaded_module_that_is_missing_is_named(docker_pool: Runner) -> None:
    async def use() -> None:
        async with open_sandbox("docker", preload=["nosuch"], workers=1) as box:
            await box.verify(HONEST)

    with pytest.raises(SandboxError, match="nosuch"):
        asyncio.run(use())


def test_the_command_line_builds_once_and_says_so(docker_pool: Runner) -> None:
    root = Path(sandbox.__file__).parent.parent
    command = [sys.executable, "-m", "sandbox", "build"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"sandbox: the image {image_name()} is ready"


def test_without_an_engine_the_command_line_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(sandbox.__file__).parent.parent
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    command = [sys.executable, "-m", "sandbox", "build"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "no image is needed" in done.stdout


@pytest.mark.slow
def test_the_doctor_finds_every_limit_enforced(docker_pool: Runner) -> None:
    root = Path(sandbox.__file__).parent.parent
    command = [sys.executable, "-m", "sandbox", "doctor"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    reports = {report["backend"]: report for report in json.loads(done.stdout)}
    assert reports["docker"]["available"]
    assert all(reports["docker"]["enforces"].values())
    assert 0 < reports["docker"]["seconds_per_verification"] < 1
