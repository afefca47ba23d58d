"""Which sandbox can be had here; never a silent step down from one isolation to a weaker one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sandbox.backend import Backend, Progress, silent
from sandbox.bwrap_backend import BwrapBackend, check_bwrap
from sandbox.docker_backend import DockerBackend, connect
from sandbox.errors import SandboxUnavailable
from sandbox.images import ensure_image, host_python
from sandbox.pool import Pool
from sandbox.process_backend import ProcessBackend
from sandbox.records import Limits
from sandbox.site import install_site, packages_hash

BackendName = Literal["auto", "docker", "bwrap", "process"]

_WAY_ON = (
    "Install Docker (`apt-get install docker.io`, then start it), or install bubblewrap "
    "(`apt-get install bubblewrap`) and run as a user that is not root. To run generated code "
    "without any isolation all the same, say so: `sandbox.backend: process` in the configuration, "
    "or `--set sandbox.backend=process`."
)


def open_sandbox(
    backend: BackendName = "auto",
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    preload: Sequence[str] = (),
    packages: Sequence[str] = (),
    base: str = "",
    on_progress: Progress | None = None,
) -> Pool:
    """A sandbox, after making sure that it can work here. Workers start with the first jobs.

    Args:
        workers: how many jobs run at once; one a core by default.
        preload: modules that every worker imports before its first job.
        packages: pinned requirements (`numpy==2.1.0`) that the box has besides the standard
            library.
        base: base image of the Docker image, instead of the one that would be looked for.
        on_progress: gets one line for everything that takes long or that a user has to know.

    Raises:
        SandboxUnavailable: the backend cannot run here; the text says what is missing.
        ValueError: an unknown backend.
    """
    say = on_progress or silent
    limits = limits or Limits()
    count = workers or os.cpu_count() or 1
    if backend == "auto":
        return _open_auto(limits, count, preload, packages, base, say)
    made: Backend
    if backend == "docker":
        made = _docker(limits, preload, packages, base, say)
    elif backend == "bwrap":
        made = _bwrap(limits, preload, packages, say)
    elif backend == "process":
        say("sandbox: WARNING: NO ISOLATION. Generated code runs as you, with your files and "
            "your network (sandbox.backend: process)")  # fmt: skip
        made = ProcessBackend(limits, preload, _site(packages, say))
    else:
        raise ValueError(f"sandbox.backend is {backend!r}; it is auto, docker, bwrap or process")
    return Pool(made, limits, count, packages_hash(packages))


def _open_auto(
    limits: Limits,
    workers: int,
    preload: Sequence[str],
    packages: Sequence[str],
    base: str,
    say: Progress,
) -> Pool:
    missing = []
    try:
        client = connect(5)
        client.close()
    except SandboxUnavailable as error:
        missing.append(str(error))
    else:
        made = _docker(limits, preload, packages, base, say)
        return Pool(made, limits, workers, packages_hash(packages))
    try:
        check_bwrap()
    except SandboxUnavailable as error:
        missing.append(str(error))
    else:
        say(f"sandbox: {missing[0]}; using bubblewrap instead (isolation: bwrap)")
        boxed = _bwrap(limits, preload, packages, say)
        return Pool(boxed, limits, workers, packages_hash(packages))
    raise SandboxUnavailable(f"No sandbox can be opened here: {'; '.join(missing)}. {_WAY_ON}")


def _docker(
    limits: Limits, preload: Sequence[str], packages: Sequence[str], base: str, say: Progress
) -> DockerBackend:
    client = connect()
    image = ensure_image(client, base=base, packages=packages, on_progress=say)
    return DockerBackend(client, image, limits, preload)


def _bwrap(
    limits: Limits, preload: Sequence[str], packages: Sequence[str], say: Progress
) -> BwrapBackend:
    check_bwrap()
    return BwrapBackend(limits, preload, _site(packages, say))


def _site(packages: Sequence[str], say: Progress) -> Path | None:
    if not packages:
        return None
    return install_site(packages, host_python(), os.uname().machine, say)
