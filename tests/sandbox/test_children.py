"""The processes that wait for a job: they suit it, they are alive, and they hold nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import Job, Limits
from sandbox.pool import Pool
from sandbox.process_backend import ProcessBackend
from sandbox.wire import PipeChannel
from tests.commandline import ROOT
from tests.sandbox.conftest import Runner

SOLUTION = "def f(): return 1\n"
TEST = "assert f() == 1\n"
OPEN = """
import os
def is_open(fd):
    try: os.fstat(fd)
    except OSError: return False
    return True
def f(): return [fd for fd in range(4096) if is_open(fd)]
"""

ENTER = """
import ctypes, os, sys
from sandbox.image import child, seccomp
taken, keep = int(sys.argv[1]), [os.open("/dev/null", os.O_RDWR) for _ in range(2)]
os.dup2(keep[0], taken)
keep = [fd if fd != taken else os.dup(fd) for fd in keep]
child.enter(
    ctypes.CDLL(None), seccomp.Filter(), keep, (os.dup(1), os.dup(2)), sys.argv[2], readable=True
)
def is_open(fd):
    try: os.fstat(fd)
    except OSError: return False
    return True
print(*[fd for fd in range(4096) if is_open(fd)])
"""


class Watched(ProcessBackend):
    """Knows its workers."""

    def __init__(self) -> None:
        super().__init__(Limits())
        self.workers: list[int] = []

    def start(self, hash_seed: int = 0) -> PipeChannel:
        channel = super().start(hash_seed)
        assert isinstance(channel, PipeChannel)
        self.workers.append(channel._process.pid)
        return channel


@contextmanager
def worker() -> Iterator[tuple[Runner, Watched]]:
    """A pool of one worker that has done a split job."""
    backend = Watched()
    runner = Runner(Pool(backend, Limits(), 1))
    assert runner.verify(SOLUTION, TEST, mode="split").passed
    yield runner, backend
    runner.close()


def waiting(pid: int, count: int) -> list[int]:
    """The children of a worker, once there are `count` of them."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(found) == count:
            return [int(one) for one in found]
        time.sleep(0.01)
    raise AssertionError(f"worker {pid} has children {found}, not {count}")


def test_jobs_of_every_kind_follow_each_other_in_one_worker() -> None:
    with worker() as (runner, backend):
        for mode in ("inproc", "split", "split", "inproc", "inproc"):
            assert runner.verify(SOLUTION, TEST, mode=mode).assurance == mode
            (value,) = runner.run(runner.pool.evaluate(SOLUTION, ["f()"]))
            assert value.value == "1"
        assert len(backend.workers) == 1


@pytest.mark.parametrize(("mode", "count"), [("split", 2), ("inproc", 1)])
def test_what_waits_is_of_the_last_jobs_kind_and_no_more(mode: str, count: int) -> None:
    with worker() as (runner, backend):
        assert runner.verify(SOLUTION, TEST, mode=mode).passed
        waiting(backend.workers[0], count)


@pytest.mark.parametrize("index", [0, 1])
def test_a_child_that_died_while_it_waited_costs_no_job_its_verdict(index: int) -> None:
    with worker() as (runner, backend):
        pid = waiting(backend.workers[0], 2)[index]
        os.kill(pid, signal.SIGKILL)
        until_gone([pid])
        assert runner.verify(SOLUTION, TEST, mode="split").reason == "ok"
        assert len(backend.workers) == 1


def test_children_that_wait_end_with_their_worker() -> None:
    with worker() as (_, backend):
        left = waiting(backend.workers[0], 2)
        os.kill(backend.workers[0], signal.SIGKILL)
        until_gone(left)


def until_gone(pids: list[int]) -> None:
    """Waits for the end of processes."""
    deadline = time.monotonic() + 20
    while running := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, running
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_jobs_time_begins_when_it_comes() -> None:
    async def late() -> str:
        async with Pool(Watched(), Limits(), 1) as pool:
            job = Job(SOLUTION, TEST, timeout_s=0.5)
            await pool.verify(job)
            await asyncio.sleep(1.0)
            return (await pool.verify(job)).reason

    assert asyncio.run(late()) == "ok"


@pytest.mark.parametrize("mode", ["split", "inproc"])
def test_a_job_holds_its_own_descriptors_and_no_other(process: Runner, mode: str) -> None:
    verdict = process.verify(OPEN, "assert f() == [0, 1, 2, 10, 11]\n", mode=mode)
    assert verdict.passed, verdict


@pytest.mark.parametrize("inherited", [3, 11, 199, 200, 201, 202, 900])
def test_whatever_the_worker_held_is_closed(inherited: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENTER, str(inherited), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1", "2", "10", "11"]


CONCURRENT = {
    "threads": "from concurrent.futures import ThreadPoolExecutor as P\n"
    "def f():\n    with P(3) as pool: return sum(pool.map(abs, range(-4, 1)))\n",
    "processes": "from multiprocessing import get_context\n"
    "def f():\n    with get_context('fork').Pool(2) as p: return sum(p.map(abs, range(-4, 1)))\n",
    "locks": "import logging, threading\n"
    "def f():\n    with threading.RLock(): logging.getLogger('x').warning('y')\n"
    "    threads = [threading.Thread(target=threading.main_thread) for _ in range(10)]\n"
    "    for t in threads: t.start()\n    for t in threads: t.join()\n    return len(threads)\n",
    "an event loop": "import asyncio\n"
    "async def one(): return await asyncio.to_thread(lambda: 10)\n"
    "def f(): return asyncio.run(one())\n",
    "signals": "import signal\ndef f():\n    seen = []\n"
    "    signal.signal(signal.SIGALRM, lambda *a: seen.append(10))\n"
    "    signal.setitimer(signal.ITIMER_REAL, 0.01)\n    signal.pause()\n    return seen[0]\n",
}


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("what", CONCURRENT)
def test_honest_code_may_use(process: Runner, what: str, mode: str) -> None:
    verdict = process.verify(CONCURRENT[what], "assert f() == 10\n", mode=mode)
    assert verdict.passed, verdict


def test_where_memory_is_watched_a_job_gives_way_to_the_worker(process: Runner) -> None:
    solution = "import os\ndef f(): return os.getpriority(os.PRIO_PROCESS, 0)\n"
    expected = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 5)
    verdict = process.verify(solution, f"assert f() == {expected}\n")
    assert verdict.passed, verdict


def test_a_package_that_starts_a_thread_can_be_preloaded(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    )
    runner = Runner(Pool(ProcessBackend(Limits(), ["busy"], tmp_path), Limits(), 1))
    solution = "import threading\ndef f(): return threading.active_count()\n"
    verdict = runner.verify(solution, TEST)
    runner.close()
    assert verdict.passed, verdict
