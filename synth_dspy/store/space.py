"""Room on the disk: is there enough to begin, is it running out, and what to say when it did."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

MIN_FREE_BYTES = 64 << 20
STOP_FREE_BYTES = 16 << 20
"""What a run leaves free: enough to end what is in flight, and to write summaries."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def shortage(folder: Path, *, during_a_run: bool = False) -> str:
    """Why there is too little room where `folder` lies, or ""; a run begins with more than it may
    go on with."""
    needed = STOP_FREE_BYTES if during_a_run else MIN_FREE_BYTES
    free = shutil.disk_usage(folder).free
    if free >= needed:
        return ""
    if during_a_run:
        return (
            f"Only {free >> 20} MiB are left where {folder} lies, so nothing more was begun. "
            "Everything finished is kept: free some space and run the same command again."
        )
    return (
        f"Only {free >> 20} MiB are free where {folder} lies; a run needs at least "
        f"{needed >> 20} MiB. Free some space, or set output_dir to another disk."
    )


def said(error: OSError) -> str:
    """What went wrong with a file, as a sentence, and what to do about it."""
    text = f"{error.strerror or error}."
    if error.errno in _FULL:
        text += " Everything finished is kept: free some space and run the same command again."
    elif error.errno in _REFUSED:
        text += " Mend its permissions, or set output_dir to another folder."
    return text
