"""Which backends work here, and which limits they really enforce: every claim is probed."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

from sandbox.backend import Progress, silent
from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.opening import BackendName, open_sandbox
from sandbox.pool import Pool
from sandbox.records import BackendReport, Job, Limits, Verdict

_LIMITS = Limits(timeout_s=20.0, memory_mb=256, address_space_mb=4096)

# Each probe is a solution that reports whether it could do what it must not.
_PROBES: dict[str, str] = {
    "memory": """
import subprocess, os
def probe():
    kept = []
    for _ in range(8):
        kept.append(bytearray(os.urandom(1 << 20)) * 64)
    return "could"
""",
    "pids": """
import os, time
def probe():
    made = []
    try:
        for _ in range(200):
            pid = os.fork()
            if pid == 0:
                time.sleep(5)
                os._exit(0)
            made.append(pid)
    except OSError:
        return "could not"
    return "could"
""",
    "network": """
import socket
def probe():
    try:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.connect(("127.0.0.1", 9))
        made.close()
    except OSError:
        return "could not"
    return "could"
""",
    "filesystem": """
import os
def probe():
    for folder in ("/usr", "/etc", "/var/tmp", "/opt", "/root", "/home"):
        try:
            with open(os.path.join(folder, "synth-dspy-probe"), "w"):
                pass
            os.unlink(os.path.join(folder, "synth-dspy-probe"))
            return "could"
        except OSError:
            continue
    return "could not"
""",
}
_TEST = "assert probe() == 'could not'\n"
_HONEST = Job(
    "def add(a, b):\n    return a + b\n", "assert add(1, 2) == 3\nassert add(0, 0) == 0\n"
)


def doctor(on_progress: Progress | None = None) -> list[BackendReport]:
    """A report for Docker, bubblewrap and the bare process, in this order.

    Must not be called from a running event loop; there, use `examine`.
    """
    return asyncio.run(examine(on_progress or silent))


async def examine(on_progress: Progress) -> list[BackendReport]:
    """As `doctor`, inside an event loop."""
    names: tuple[BackendName, ...] = ("docker", "bwrap", "process")
    return [await _report(name, on_progress) for name in names]


async def _report(name: BackendName, on_progress: Progress) -> BackendReport:
    say = silent if name == "process" else on_progress
    try:
        pool = await asyncio.to_thread(_open, name, say)
    except SandboxUnavailable as error:
        return BackendReport(name, False, detail=str(error))
    try:
        async with pool:
            first = await pool.verify(_HONEST)
            if not first.passed:
                return BackendReport(name, False, detail=f"honest code failed: {first.message}")
            seconds = [await _timed(pool) for _ in range(9)]
            enforces = {probe: await _stopped(pool, probe) for probe in _PROBES}
    except SandboxError as error:
        return BackendReport(name, False, detail=str(error))
    lax = [probe for probe, stopped in enforces.items() if not stopped]
    detail = f"does not enforce: {', '.join(lax)}" if lax else "enforces every limit"
    if name == "process":
        detail = f"no isolation, only on request; {detail}"
    return BackendReport(name, True, enforces, detail, statistics.median(seconds))


def _open(name: BackendName, say: Callable[[str], None]) -> Pool:
    return open_sandbox(name, limits=_LIMITS, workers=1, on_progress=say)


async def _timed(pool: Pool) -> float:
    started = time.perf_counter()
    await pool.verify(_HONEST)
    return time.perf_counter() - started


async def _stopped(pool: Pool, probe: str) -> bool:
    verdict: Verdict = await pool.verify(Job(_PROBES[probe], _TEST))
    if probe == "memory":
        return verdict.reason == "memory"
    return verdict.passed
