"""Bubblewrap: namespaces without a daemon, for users who are not root.

The box sees the system's programs and libraries and the Python that runs this, read-only, and a
/tmp of its own that nothing can be run from; no home, no /etc, no network. There is no control
group, so memory is watched by the worker (README.md says how well), and processes are counted by
the kernel within the box's user namespace (Linux 5.14).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.backend import PACKAGE, boot, worker_modules
from sandbox.errors import SandboxError, SandboxUnavailable
from sandbox.image.mounts import VARIABLE
from sandbox.records import Isolation, Limits
from sandbox.wire import Channel, PipeChannel, WorkerDied

_SHM_MB, _SHM_FILES = 16, 1024
# The worker gives both up before its first job (see `sandbox.image.mounts`).
_FOR_MOUNTS = ("--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP")
_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")


def check_bwrap() -> str:
    """Path of `bwrap`.

    Raises:
        SandboxUnavailable: it is not installed, or we are root.
    """
    if os.geteuid() == 0:
        raise SandboxUnavailable(
            "bubblewrap is refused as root: the box's root would be the machine's, which can write "
            "to /proc/sys; run as an ordinary user, or use Docker"
        )
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed (`apt-get install bubblewrap` brings it)"
        )
    return found


class BwrapBackend:
    """Starts one `bwrap` a worker."""

    isolation: Isolation = "bwrap"

    def __init__(self, limits: Limits, preload: Sequence[str] = (), site: Path | None = None):
        self.program = check_bwrap()
        self.limits = limits
        self.preload = tuple(preload)
        self.site = site
        self._code = Path(tempfile.mkdtemp(prefix="synth-dspy-"))
        package = self._code / PACKAGE
        package.mkdir()
        for module in worker_modules():
            shutil.copy(module, package)

    def argv(self, hash_seed: int = 0) -> list[str]:
        """The whole command line of a worker."""
        limits = self.limits
        binds: list[str] = []
        for folder in _SYSTEM:
            path = Path(folder)
            if path.is_symlink():
                binds += ["--symlink", str(path.readlink()), folder]
            elif path.is_dir():
                binds += ["--ro-bind", folder, folder]
        python = base_python()
        prefix = Path(sys.base_prefix).resolve()
        if not prefix.is_relative_to("/usr"):
            binds += ["--ro-bind", str(prefix), str(prefix)]
        binds += ["--ro-bind", str(self._code), "/opt/worker"]
        if self.site is not None:
            binds += ["--ro-bind", str(self.site), "/opt/site"]
        environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": str(hash_seed),
            "SANDBOX_PRELOAD": ",".join(self.preload),
            VARIABLE: f"/tmp:{limits.tmp_mb}:{limits.tmp_inodes},/dev/shm:{_SHM_MB}:{_SHM_FILES}",
        }
        sets = [x for key, value in environment.items() for x in ("--setenv", key, value)]
        return [
            self.program, "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1",
            *binds,
            "--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
            "--tmpfs", "/dev/shm",
            "--chdir", "/tmp", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox",
            "--cap-drop", "ALL", *_FOR_MOUNTS, "--clearenv", *sets, "--remount-ro", "/",
            python, "-s", "-P", "-u", "-c", boot("/opt/worker", "/opt/site"),
        ]  # fmt: skip

    def start(self, hash_seed: int = 0) -> Channel:
        """A worker that has greeted.

        Raises:
            SandboxError: the kernel does not allow user namespaces, or the worker did not start.
        """
        channel: Channel | None = None
        try:
            channel = PipeChannel(self.argv(hash_seed), {"PATH": "/usr/bin:/bin"})
            channel.greet(60.0)
        except WorkerDied as error:
            if channel is not None:
                channel.close()
            raise SandboxError(f"bubblewrap could not start a worker: {error}") from error
        return channel

    def header(self) -> dict[str, int]:
        """Processes are counted and memory is watched: there is no control group."""
        return {"nproc": self.limits.pids, "watch_memory_mb": self.limits.memory_mb}

    def close(self) -> None:
        """Removes the copy of the worker's modules."""
        shutil.rmtree(self._code, ignore_errors=True)


def base_python() -> str:
    """The interpreter under a virtual environment: the one whose prefix is shown to the box."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    candidate = Path(sys.base_prefix).resolve() / "bin" / name
    return str(candidate) if candidate.exists() else os.path.realpath(sys.executable)
