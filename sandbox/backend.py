"""What a backend is: something that starts workers of one isolation. Three files implement it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sandbox.records import Isolation
from sandbox.wire import Channel

Progress = Callable[[str], None]

PACKAGE = "sandbox_worker"  # what the folder `sandbox/image` is called inside the box
BOOT = (
    "import sys; sys.path[:0] = [{paths}]; "
    f"from {PACKAGE}.worker import main; main()"
)  # fmt: skip


class Backend(Protocol):
    """Starts workers. `start` is called from several threads at once."""

    isolation: Isolation

    def start(self, hash_seed: int = 0) -> Channel:
        """A worker that has greeted, whose hashes of text are seeded with `hash_seed`.

        Raises:
            SandboxError: it cannot be started; the text says why.
        """

    def header(self) -> dict[str, int]:
        """What this backend adds to every job's header."""

    def close(self) -> None:
        """Frees what the backend itself holds, after every worker was closed."""


def silent(line: str) -> None:
    """A progress that nobody wants to see."""


def image_folder() -> Path:
    """The folder with the Dockerfile and the worker's modules."""
    return Path(__file__).parent / "image"


def worker_modules() -> list[Path]:
    """The modules that go into the box, in a fixed order."""
    return sorted(image_folder().glob("*.py"))


def boot(*paths: str) -> str:
    """The program that starts a worker, given to `python -c`."""
    return BOOT.format(paths=", ".join(map(repr, paths)))
