"""A folder that is written whole or not at all.

The name of a folder enters; a folder beside it, to write to, is lent, and takes the name at the
end. It knows nothing of what is written.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from synth_dspy.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(final: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `final` when the block ends, its files on the disk.

    A block that raises, or is killed, leaves `final` as it was.

    Raises:
        StoreError: the disk is full, or may not be written to.
    """
    part = final.with_name(f".{final.name}.part")
    try:
        _remove(part)
        part.mkdir(parents=True)
        yield part
        _replace(part, final)
    except OSError as error:
        raise StoreError(
            f"The dataset cannot be written to {final}: {error}. "
            "Nothing was changed there; free the space or mend the permissions and export again."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _replace(part: Path, final: Path) -> None:
    for path in sorted(part.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    old = final.with_name(f".{final.name}.old")
    _remove(old)
    if final.exists():
        final.rename(old)
    part.rename(final)
    _remove(old)


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
