"""The folder of a cluster that is started here: made, held while its owner lives, and removed.

Ray's logs, sockets and spilled objects lie in it. An owner that is killed cannot remove its folder,
so whoever makes one first removes those that nobody holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

_PREFIX = "synth-ray-"
_HELD = ".held"


class SessionFolder:
    """A folder with a short path, since sockets' names are limited.

    Attributes:
        path: where it lies.
    """

    def __init__(self, within: Path | None = None) -> None:
        parent = within or Path(tempfile.gettempdir())
        _sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        # Locked under another name first: a file of this name that is not locked has no owner.
        early = self.path / f"{_HELD}.new"
        self._held: IO[bytes] = early.open("wb")
        fcntl.flock(self._held, fcntl.LOCK_EX)
        early.rename(self.path / _HELD)

    def remove(self) -> None:
        """Delete the folder, or as much of it as can be."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._held.close()


def _sweep(parent: Path) -> None:
    """Remove this user's folders whose owner is gone."""
    for path in parent.glob(f"{_PREFIX}*/{_HELD}"):
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    continue
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.parent, ignore_errors=True)
        except OSError:  # it is held, was removed just now, or is somebody else's
            continue
