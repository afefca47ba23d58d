"""Extra packages for the box: wheels installed into a folder on the host, never by code inside.

Enters: requirement strings, the box's Python and machine. Leaves: a folder with what they install,
kept in the user's cache under a hash of the request.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.backend import Progress
from sandbox.errors import SandboxUnavailable

_PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


def cache_folder() -> Path:
    """Where installed packages are kept: `$XDG_CACHE_HOME/synth-dspy/site`."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "synth-dspy" / "site"


def check_pinned(packages: Sequence[str]) -> None:
    """Raises SandboxUnavailable for a requirement without an exact version."""
    for package in packages:
        if not re.fullmatch(r"[A-Za-z0-9][\w.\-]*(\[[\w,.\- ]+\])?==[\w.!+*\-]+", package.strip()):
            raise SandboxUnavailable(
                f"sandbox.packages: {package!r} is not pinned; write it as `name==version`, so "
                "that a run can be repeated"
            )


def packages_hash(packages: Sequence[str]) -> str:
    """16 hex characters over the request, in any order; "" for none. For provenance."""
    if not packages:
        return ""
    request = "\n".join(sorted(package.strip() for package in packages))
    return hashlib.sha256(request.encode()).hexdigest()[:16]


def install_site(packages: Sequence[str], python: str, machine: str, on_progress: Progress) -> Path:
    """A folder to be put on the box's path.

    Args:
        python: the box's version, as "3.11".
        machine: `x86_64` or `aarch64`.

    Raises:
        SandboxUnavailable: a requirement is not pinned, does not exist, or has no wheel.
    """
    check_pinned(packages)
    request = "\n".join([python, machine, *sorted(packages)])
    folder = cache_folder() / hashlib.sha256(request.encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    on_progress(f"sandbox: installing {', '.join(packages)} for Python {python} (once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        target = Path(temporary) / "site"
        command = _command(target, packages, python, machine)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [x for x in done.stderr.splitlines() if "error" in x.lower()] or ["no reason"]
            raise SandboxUnavailable(
                f"sandbox.packages: {', '.join(packages)} cannot be installed as wheels for "
                f"Python {python} on {machine}: {' / '.join(lines[:3])[:600]}"
            )
        shutil.rmtree(target / "bin", ignore_errors=True)
        try:
            target.rename(folder)
        except OSError:  # another process has made the same folder meanwhile
            if not folder.is_dir():
                raise
    return folder


def _command(target: Path, packages: Sequence[str], python: str, machine: str) -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        platforms = [f"--platform={name}_{machine}" for name in _PLATFORMS]
        options = ["--only-binary=:all:", f"--python-version={python}", "--implementation=cp"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        return [*pip, "--no-compile", f"--target={target}", *options, *platforms, *packages]
    uv = shutil.which("uv")
    if uv is None:
        raise SandboxUnavailable(
            "sandbox.packages needs pip or uv to fetch wheels, and neither is installed here; "
            "get pip with `python -m ensurepip`"
        )
    where = [f"--target={target}", f"--python-version={python}"]
    platform = f"--python-platform={machine}-manylinux_2_28"
    return [uv, "pip", "install", "--quiet", "--only-binary=:all:", *where, platform, *packages]
