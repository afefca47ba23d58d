"""Containers come when they are needed, and go whatever becomes of us."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sandbox
from sandbox import Job, SandboxError, SandboxUnavailable, open_sandbox
from sandbox.docker_backend import LABEL, connect
from sandbox.images import (
    CONTEXT_LABEL,
    REPOSITORY,
    collect_garbage,
    context_hash,
    ensure_image,
    image_name,
)
from sandbox.site import packages_hash
from tests.sandbox.conftest import Runner, containers
from tests.sandbox.engine import Engine

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


def test_an_engine_that_goes_away_is_an_error_and_one_that_comes_back_is_used(
    docker_pool: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = Engine(tmp_path / "engine.sock")
    monkeypatch.setenv("DOCKER_HOST", engine.host)

    async def use() -> tuple[str, str]:
        async with open_sandbox("docker", workers=1) as box:
            await box.verify(HONEST)
            engine.stop()
            with pytest.raises(SandboxError, match="Docker could not start a container"):
                await box.verify(HONEST)
            with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
                open_sandbox("docker")
            engine.start()
            return (await box.verify(HONEST)).reason, box.backend.name  # type: ignore[attr-defined]

    engine.start()
    try:
        reason, name = asyncio.run(use())
    finally:
        engine.stop()
    assert reason == "ok"
    monkeypatch.delenv("DOCKER_HOST")
    assert not containers(name)


def test_a_job_finds_nothing_that_another_left(docker_pool: Runner) -> None:
    leave = "open('/tmp/left', 'w').close()\nopen('/dev/shm/left', 'w').close()\n"
    look = ["[n for d in ('/tmp', '/dev/shm') for n in os.listdir(d) if 'left' in n]"]
    pool = docker_pool.pool
    for _ in range(pool.workers):
        docker_pool.run(pool.evaluate(leave, ["1"]))
    for _ in range(pool.workers):
        (found,) = docker_pool.run(pool.evaluate("import os\n", look))
        assert found.value == "[]"


def test_a_job_can_have_fewer_processes_than_the_limit(docker_pool: Runner) -> None:
    count = (
        "import os, time\ndef f():\n    made = 0\n    while made < 200:\n"
        "        try:\n            if os.fork() == 0:\n                time.sleep(60)\n"
        "        except OSError:\n            break\n        made += 1\n    return made\n"
    )
    verdict = docker_pool.verify(count, f"assert 1 < f() < {docker_pool.pool.limits.pids}\n")
    assert verdict.passed, verdict


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


def test_garbage_is_what_an_older_version_left_and_not_what_others_use(docker_pool: Runner) -> None:
    client = connect()
    mine = client.images.get(image_name())
    tags = {"old": f"{REPOSITORY}:test-old", "other": f"{REPOSITORY}:test-other"}
    try:
        for name, context in (("old", "of another version"), ("other", context_hash())):
            client.images.build(
                fileobj=io.BytesIO(f"FROM {mine.tags[0]}\nENV NAME={name}\n".encode()),
                tag=tags[name], labels={LABEL: "image", CONTEXT_LABEL: context}, rm=True,
            )  # fmt: skip
        removed = collect_garbage(client)
        left = {tag for image in client.images.list(name=REPOSITORY) for tag in image.tags}
    finally:
        for tag in tags.values():
            with contextlib.suppress(Exception):
                client.images.remove(tag, force=True)
        client.close()
    assert tags["old"] in removed
    assert {image_name(), tags["other"]} <= left


def test_packages_are_in_the_box_and_their_hash_is_known(docker_pool: Runner, wheels: Path) -> None:
    async def use() -> tuple[str, str]:
        box = open_sandbox("docker", packages=["boxed==1.0"], preload=["boxed"], workers=1)
        async with box:
            test = "assert f() == 7\n"
            verdict = await box.verify(Job("import boxed\ndef f(): return boxed.VALUE\n", test))
        return verdict.message or verdict.reason, box.packages

    reason, packages = asyncio.run(use())
    client = connect()
    client.images.remove(image_name("", ["boxed==1.0"]))
    client.close()
    assert reason == "ok"
    assert packages == packages_hash(["boxed==1.0"])


def test_a_package_that_does_not_exist_is_one_error_before_anything_runs(
    docker_pool: Runner, wheels: Path
) -> None:
    with pytest.raises(SandboxUnavailable, match=r"nosuch==1\.0 cannot be installed"):
        open_sandbox("docker", packages=["nosuch==1.0"])
