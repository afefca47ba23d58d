"""`python -m benchmarks.sandbox`: a verification in the warm pool, beside what it replaces.

In turns, on one machine, the same program and test: `docker run` each, one container and `docker
exec` each, a bare subprocess, a bare fork, and the pool in one process and split in two; once with
the standard library, once with numpy. Then 1,000 verifications as HumanEval has them, two workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.table import Group, Row, render
from sandbox import Job, Sandbox, SandboxUnavailable, open_sandbox
from sandbox.bwrap_backend import check_bwrap
from sandbox.docker_backend import LABEL, connect
from sandbox.images import ensure_image
from sandbox.opening import BackendName
from sandbox.records import Mode

NUMPY = "numpy==2.2.6"  # the last one with wheels for every Python from 3.10 to 3.13
MANY = 1_000
_EACH = 20  # verifications of one repetition, where one takes milliseconds

PLAIN = Job(
    "def double(x):\n    return 2 * x\n",
    "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n",
    "double",
    timeout_s=10.0,
)
ARRAYS = Job(
    "import numpy as np\ndef double(x):\n    return 2 * np.asarray(x)\n",
    "import numpy as np\ndef check(candidate):\n    assert (candidate([1, 2]) == [2, 4]).all()\n",
    "double",
    timeout_s=10.0,
)
# As large as a problem of HumanEval: a loop, a list, a handful of cases.
TYPICAL = Job(
    "def running_max(xs):\n    best, out = None, []\n    for x in xs:\n"
    "        best = x if best is None else max(best, x)\n        out.append(best)\n"
    "    return out\n",
    "def check(candidate):\n"
    + "".join(
        f"    assert candidate({list(range(n))}) == {list(range(n))}\n"
        f"    assert candidate({[n, *range(n)]}) == {[n] * (n + 1)}\n"
        for n in range(4)
    ),
    "running_max",
    timeout_s=10.0,
)
# A process that forks for each program, without isolation and without limits: the floor.
_FORKS = """
import asyncio, doctest, os, sys, time, unittest.mock
{imports}
for _ in range({count}):
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        exec(compile({program!r}, "program", "exec"), {{"__name__": "__main__"}})
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    print(time.perf_counter() - started)
"""

Say = Callable[[str], None]


def side_by_side(say: Say, *, repetitions: int = 7) -> list[Group]:
    """A group for the standard library, one for numpy where it can be had, one for many."""
    backend, image = _backend(say)
    groups = [_compare("verify a program", PLAIN, backend, image, (), repetitions, say)]
    try:
        numpy_image = _image([NUMPY], say) if image else ""
        with_numpy = _compare(
            "verify a program that uses numpy", ARRAYS, backend, numpy_image, (NUMPY,),
            repetitions, say,
        )  # fmt: skip
        groups.append(with_numpy)
    except (SandboxUnavailable, subprocess.CalledProcessError) as error:
        say(f"numpy is left out: {error}")
    if backend:
        groups.append(_many(backend, say))
    return groups


def _compare(
    title: str,
    job: Job,
    backend: BackendName | None,
    image: str,
    packages: Sequence[str],
    repetitions: int,
    say: Say,
) -> Group:
    program = f"{job.solution}\n{job.test}\ncheck({job.entry_point})\n"
    times: dict[str, list[float]] = {}
    amounts: dict[str, int] = {}

    def note(name: str, seconds: float, amount: int = 1) -> None:
        times.setdefault(name, []).append(seconds)
        amounts[name] = amount

    async def rounds() -> None:
        async with contextlib.AsyncExitStack() as stack:
            box: Sandbox | None = None
            if backend:
                preload = ["numpy"] if packages else []
                box = await stack.enter_async_context(
                    open_sandbox(
                        backend, packages=packages, preload=preload, workers=1, on_progress=say
                    )
                )
                await _timed_pool(box, job, "split", 3)
            container = stack.enter_context(_kept(image)) if image else ""
            for _ in range(repetitions):
                if image:
                    note("docker run each", _timed(_docker_run(image, program)))
                    note("one container, docker exec each", _timed(_exec(container, program)))
                note("a bare subprocess each", _timed([sys.executable, "-c", program]))
                note("a bare fork each", _forks(program, bool(packages)), _EACH)
                if box is not None:
                    seconds = await _timed_pool(box, job, "inproc", _EACH)
                    note(f"the pool, in one process ({backend})", seconds, _EACH)
                    seconds = await _timed_pool(box, job, "split", _EACH)
                    note(f"the pool, split ({backend})", seconds, _EACH)

    asyncio.run(rounds())
    return Group(title, [Row(name, some, amounts[name]) for name, some in times.items()])


def _many(backend: BackendName, say: Say) -> Group:
    cores = os.cpu_count() or 1

    async def work() -> float:
        async with open_sandbox(backend, workers=cores, on_progress=say) as box:
            await asyncio.gather(*(_verify(box, TYPICAL, "auto") for _ in range(2 * cores)))
            start = time.perf_counter()
            await asyncio.gather(*(_verify(box, TYPICAL, "auto") for _ in range(MANY)))
            return time.perf_counter() - start

    seconds = asyncio.run(work())
    name = f"the pool, {cores} workers ({backend}): {seconds:.1f} s in all"
    return Group(f"{MANY:,} programs like HumanEval's", [Row(name, [seconds], MANY)])


async def _timed_pool(box: Sandbox, job: Job, mode: Mode, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        await _verify(box, job, mode)
    return time.perf_counter() - start


async def _verify(box: Sandbox, job: Job, mode: Mode) -> None:
    job = Job(job.solution, job.test, job.entry_point, mode, job.timeout_s)
    verdict = await box.verify(job)
    if not verdict.passed:
        raise RuntimeError(f"an honest program did not pass: {verdict.reason} {verdict.message}")


def _timed(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _forks(program: str, numpy: bool) -> float:
    """Seconds of `_EACH` forks together, the process that forks left out."""
    source = _FORKS.format(imports="import numpy" * numpy, program=program, count=_EACH)
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return sum(map(float, done.stdout.split()))


def _docker_run(image: str, program: str) -> list[str]:
    limits = ["--memory=1g", "--memory-swap=1g", "--pids-limit=64", "--cpus=1", "--read-only"]
    command = ["docker", "run", "--rm", "--network=none", "--cap-drop=ALL", f"--label={LABEL}"]
    return [
        *command,
        *limits,
        "--env=PYTHONPATH=/opt/site",
        "--entrypoint=python3",
        image,
        "-c",
        program,
    ]


def _exec(container: str, program: str) -> list[str]:
    return ["docker", "exec", container, "python3", "-c", program]


@contextlib.contextmanager
def _kept(image: str) -> Iterator[str]:
    """One container that does nothing, to run things in."""
    command = ["docker", "run", "--detach", "--rm", "--network=none", f"--label={LABEL}"]
    command += ["--env=PYTHONPATH=/opt/site", "--entrypoint=sleep", image, "600"]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)


def _backend(say: Say) -> tuple[BackendName | None, str]:
    """The isolation that can be had here, and Docker's image for it."""
    if shutil.which("docker"):
        try:
            return "docker", _image([], say)
        except SandboxUnavailable as error:
            say(f"docker is left out: {error}")
    try:
        check_bwrap()
    except SandboxUnavailable as error:
        say(f"the pool is left out: {error}")
        return None, ""
    return "bwrap", ""


def _image(packages: Sequence[str], say: Say) -> str:
    client = connect(5)
    try:
        return ensure_image(client, packages=packages, on_progress=say)
    finally:
        client.close()


def main() -> int:
    """Prints the table on standard output, progress on standard error."""
    groups = side_by_side(lambda line: print(line, file=sys.stderr))  # noqa: T201
    sys.stdout.write(f"{render(groups)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
