"""The same worker as a plain child process. No isolation: for people who trust the code."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.backend import PACKAGE, boot, worker_modules
from sandbox.errors import SandboxError
from sandbox.records import Isolation, Limits
from sandbox.wire import Channel, PipeChannel, WorkerDied


class ProcessBackend:
    """Limits are per process, memory is watched, files and network are the user's own."""

    isolation: Isolation = "process"

    def __init__(self, limits: Limits, preload: Sequence[str] = (), site: Path | None = None):
        self.limits = limits
        self.preload = tuple(preload)
        self.site = site
        self._folder = Path(tempfile.mkdtemp(prefix="synth-dspy-"))
        package = self._folder / "code" / PACKAGE
        package.mkdir(parents=True)
        for module in worker_modules():
            shutil.copy(module, package)

    def start(self, hash_seed: int = 0) -> Channel:
        """A worker that has greeted.

        Raises:
            SandboxError: it did not start.
        """
        work = Path(tempfile.mkdtemp(prefix="work-", dir=self._folder))
        paths = [str(self._folder / "code"), *([str(self.site)] if self.site else [])]
        argv = [sys.executable, "-s", "-P", "-u", "-c", boot(*paths)]
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": str(hash_seed),
            "SANDBOX_FOLDER": str(work),
            "SANDBOX_PRELOAD": ",".join(self.preload),
        }
        channel: Channel | None = None
        try:
            channel = PipeChannel(argv, env)
            channel.greet(60.0)
        except WorkerDied as error:
            if channel is not None:
                channel.close()
            raise SandboxError(f"the worker process did not start: {error}") from error
        return channel

    def header(self) -> dict[str, int]:
        """Memory has to be watched: nothing else limits it."""
        return {"watch_memory_mb": self.limits.memory_mb}

    def close(self) -> None:
        """Removes the workers' folders."""
        shutil.rmtree(self._folder, ignore_errors=True)
