"""What a job's process does to itself before foreign code: descriptors, limits, filter."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import sys
from typing import Any

from . import clock
from .seccomp import Filter

_SEED = 0x5EED
# Asking which signals there are takes 30 microseconds: once, not in every child for every signal.
_SIGNALS = tuple(map(int, signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}))
FIRST_FD = 10  # where the descriptors that a job keeps are found, in order
# Where the worker watches memory, it has to come first: a job can have more processes than there
# are cores, and each would otherwise have its turn before the worker looks.
_NICE = 5
_SET_DUMPABLE, _NO_NEW_PRIVS, _MB = 4, 38, 1 << 20

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "Agg",
}


def clean_environment() -> None:
    """Leaves in this process' environment what jobs may see: once, for all children."""
    hash_seed = os.environ.get("PYTHONHASHSEED", "0")
    os.environ.clear()
    os.environ.update(_ENVIRONMENT, PYTHONHASHSEED=hash_seed)


def enter(
    libc: ctypes.CDLL,
    filter_: Filter,
    keep: list[int],
    output: tuple[int, int],
    folder: str,
    *,
    readable: bool,
) -> list[int]:
    """Turns a fresh fork into a job's process and returns the new numbers of `keep`.

    Args:
        output: where standard output and standard error go.
        folder: becomes the working directory and HOME.
        readable: False hides the memory and the descriptors from other processes of the same user.
    """
    os.setpgid(0, 0)  # a session of its own would cost 3 ms where the kernel groups by session
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(output[0], 1)
    os.dup2(output[1], 2)
    for index, fd in enumerate(keep):
        os.dup2(fd, 200 + index)
    os.closerange(3, 200)
    os.closerange(200 + len(keep), 4096)
    for index in range(len(keep)):
        os.dup2(200 + index, FIRST_FD + index)
        os.close(200 + index)
    libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0)
    _volunteer_for_the_oom_killer()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["HOME"] = os.environ["TMPDIR"] = folder
    os.chdir(folder)
    os.umask(0o077)
    if not readable:
        libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if not filter_.install(libc):
        os._exit(96)
    return [FIRST_FD + index for index in range(len(keep))]


def limit(orders: dict[str, Any]) -> None:
    """Binds this process to a job's limits, and puts it into the job's world."""
    for name, value in _limits(orders).items():
        _limit(name, value)
    if orders.get("watch_memory_mb"):
        os.nice(_NICE)
    world = orders.get("world", 0)
    random.seed(_SEED + world)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(_SEED + world)
    if world:
        clock.shift(world * clock.STEP_S)


def _limits(header: dict[str, Any]) -> dict[int, int]:
    limits = {
        resource.RLIMIT_AS: header["address_space_mb"] * _MB,
        resource.RLIMIT_CPU: int(header["timeout_s"]) + 1,
        resource.RLIMIT_FSIZE: header["file_mb"] * _MB,
        resource.RLIMIT_NOFILE: header["nofile"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_STACK: 64 * _MB,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if header.get("nproc"):
        limits[resource.RLIMIT_NPROC] = header["nproc"]
    return limits


def _limit(name: int, value: int) -> None:
    hard = resource.getrlimit(name)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(name, (value, value))


def _volunteer_for_the_oom_killer() -> None:
    try:
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(fd, b"1000")
        os.close(fd)
    except OSError:  # not every kernel lets us; the counter of the group tells either way
        return
