"""Folders of the worker's own, where nobody outside has set them up with the limits they need.

bubblewrap can make a tmpfs of a size, but neither forbid running what is written there nor count
its files. So it leaves the worker one capability, which the worker uses once and then gives up for
good, before it reads its first job.
"""

from __future__ import annotations

import ctypes
import os

VARIABLE = "SANDBOX_MOUNTS"  # `/tmp:64:4096,/dev/shm:16:1024`: folder, MiB, files
_NEW_MOUNTS = 0x00020000
_NOSUID, _NODEV, _NOEXEC = 2, 4, 8
_DROP_FROM_BOUNDS, _AMBIENT, _CLEAR_ALL = 24, 47, 4
_CAPABILITIES_V3, _LAST_CAPABILITY = 0x20080522, 63


def mount_own(libc: ctypes.CDLL, request: str) -> None:
    """Mounts a fresh tmpfs on each folder of `request` and gives up every capability.

    Raises:
        OSError: the kernel refused a mount, or did not take the capabilities.
    """
    _must(libc.unshare(_NEW_MOUNTS), "unshare")
    for entry in request.split(","):
        folder, megabytes, files = entry.split(":")
        options = f"size={int(megabytes)}m,nr_inodes={int(files)},mode=1777".encode()
        flags = _NOSUID | _NODEV | _NOEXEC
        _must(libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options), f"mount {folder}")
    give_up_capabilities(libc)
    os.chdir("/tmp")


def give_up_capabilities(libc: ctypes.CDLL) -> None:
    """No capability is left to this process or to any that it will start.

    Raises:
        OSError: one was kept.
    """
    for number in range(_LAST_CAPABILITY + 1):
        libc.prctl(_DROP_FROM_BOUNDS, number, 0, 0, 0)  # EINVAL beyond the kernel's last
    _must(libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0), "clearing the ambient capabilities")
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    _must(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    with open("/proc/self/status") as file:
        kept = [line for line in file if line.startswith("Cap") and int(line.split()[1], 16)]
    if kept:
        raise OSError(f"capabilities were kept: {' '.join(kept).split()}")


def _must(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
