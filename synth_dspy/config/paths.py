"""Paths as text of the configuration: refused where no file system could take them.

Whether something is there is not asked here: that is for whoever opens it, to say it of a source, a
benchmark or a folder of its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from synth_dspy.config.base import broken_rule

MAX_NAME_BYTES = 255  # NAME_MAX and PATH_MAX of Linux
MAX_PATH_BYTES = 4096


def checked_path(path: str) -> str:
    """The path as it was written.

    Raises:
        PydanticCustomError: it holds a NUL, is too long, or names the home of nobody.
    """
    if "\0" in path:
        raise broken_rule(f"{path!r} holds a NUL character, which no path may; remove it")
    size, longest = len(os.fsencode(path)), max(map(_bytes, path.split("/")))
    if longest > MAX_NAME_BYTES or size >= MAX_PATH_BYTES:
        raise broken_rule(
            f"{path[:40]!r}... is too long for a path: a name may have {MAX_NAME_BYTES} bytes and "
            f"a path {MAX_PATH_BYTES}, here it is {longest} and {size}; shorten it"
        )
    try:
        Path(path).expanduser()
    except RuntimeError:
        user = path.split("/", 1)[0]
        raise broken_rule(
            f"there is no home folder {user!r} on this machine; write the folder out, or ./{user} "
            "for one that has this name"
        ) from None
    return path


def absolute(base: Path, path: str) -> Path:
    """Where `path` leads from the folder `base`, a `~` and every link resolved."""
    return (base / Path(path).expanduser()).resolve()


def _bytes(name: str) -> int:
    return len(os.fsencode(name))


PathText = Annotated[str, AfterValidator(checked_path)]
