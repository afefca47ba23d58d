"""Leaves nothing of a job behind: no process, no file."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable

FOLDERS = ("/tmp", "/dev/shm", "/dev/mqueue", "/var/tmp")


def kill_everything(alone: bool, patience_s: float = 3.0) -> bool:
    """Kills every process but this one and reaps them; False if some would not go.

    Args:
        alone: this process is PID 1 of a namespace of its own, so everything else is the job's.
            Otherwise only its own descendants are killed.
    """
    deadline = time.monotonic() + patience_s
    while True:
        if alone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        else:
            for pid in children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0003)


def children() -> list[int]:
    """This process' direct children (orphaned grandchildren become children of a sub-reaper)."""
    mine = os.getpid()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if _parent(pid) == mine]


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def memory_of(pids: Iterable[int], limit: int) -> int:
    """Bytes that processes hold together; exact only where it may be more than `limit`.

    Asks cheaply first, where pages that several processes share count once for each of them, and
    only then for each process' share (which a process can hide; then all it maps counts).
    """
    found = {pid: _resident(pid) for pid in pids}
    at_most = sum(found.values())
    if at_most <= limit:
        return at_most
    return sum(_share(pid, resident) for pid, resident in found.items())


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):  # it has just ended
        return 0


def _share(pid: int, otherwise: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass
    return otherwise


def descendants(alone: bool) -> list[int]:
    """Every process of the job."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if alone:
        return [pid for pid in pids if pid != os.getpid()]
    parents = {pid: _parent(pid) for pid in pids}
    found: list[int] = []
    layer = {os.getpid()}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found += layer
    return found


def empty(folders: Iterable[str]) -> list[str]:
    """Removes what is in the folders; returns what could not be removed."""
    left = []
    for folder in folders:
        if _holds_something(folder):
            _empty(folder, 64)
            left += [os.path.join(folder, name) for name in os.listdir(folder)]
    return left[:10]


def _holds_something(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))
    except FileNotFoundError:
        return False
    except OSError:  # a job has closed it
        return True


def _empty(folder: str, depth: int) -> None:
    with contextlib.suppress(OSError):  # the mount's own root is not ours to change
        os.chmod(folder, 0o700)
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth:
                    _empty(entry.path, depth - 1)
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)
        except OSError:
            continue
