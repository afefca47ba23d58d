"""The most memory that this process ever held."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """Resident megabytes at the highest.

    Read from Linux's /proc: `getrusage` would count the process that started this one, too, whose
    peak survives `exec`.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
