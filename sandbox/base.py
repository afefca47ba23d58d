"""The image under the sandbox's image: what the user names, a registry's, or one made here.

Order: the name given (or SYNTH_SANDBOX_BASE); a base made here before; `python:3.11-slim`, here or
from a registry; and where no registry answers, a minimal Debian made by debootstrap.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.backend import Progress
from sandbox.errors import SandboxUnavailable

if TYPE_CHECKING:
    from docker import DockerClient

VARIABLE = "SYNTH_SANDBOX_BASE"
FROM_REGISTRY = "python:3.11-slim"
SUITE = "bookworm"
MADE_HERE = f"synth-dspy-base:{SUITE}"
_ASK_REGISTRY_S = 10


def resolve_base(client: DockerClient, base: str, on_progress: Progress) -> str:
    """Name of a base image that is here.

    Raises:
        SandboxUnavailable: none can be had; the text says how to pass one.
    """
    named = base or os.environ.get(VARIABLE, "")
    if named:
        if _is_here(client, named) or _pull(client, named, on_progress):
            return named
        raise SandboxUnavailable(
            f"the base image {named!r} is neither here nor can it be pulled; load it with "
            "`docker load` or name another one"
        )
    for name in (MADE_HERE, FROM_REGISTRY):
        if _is_here(client, name):
            return name
    if _registry_has(FROM_REGISTRY) and _pull(client, FROM_REGISTRY, on_progress):
        return FROM_REGISTRY
    return _bootstrap(client, on_progress)


def _is_here(client: DockerClient, name: str) -> bool:
    import docker

    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _registry_has(name: str) -> bool:
    """Whether a registry answers for this name, asked with a short timeout."""
    import docker
    import requests

    try:
        client = docker.from_env(timeout=_ASK_REGISTRY_S)
        client.images.get_registry_data(name)
        client.close()
    except (docker.errors.DockerException, requests.RequestException):
        return False
    return True


def _pull(client: DockerClient, name: str, on_progress: Progress) -> bool:
    import docker
    import requests

    on_progress(f"sandbox: pulling the base image {name} (once)")
    try:
        client.images.pull(*_repository_and_tag(name))
    except (docker.errors.DockerException, requests.RequestException):
        return False
    return True


def _repository_and_tag(name: str) -> tuple[str, str | None]:
    if "@" in name or ":" not in name.rpartition("/")[2]:
        return name, None if "@" in name else "latest"
    repository, _, tag = name.rpartition(":")
    return repository, tag


def _bootstrap(client: DockerClient, on_progress: Progress) -> str:
    lacking = []
    if os.geteuid() != 0:
        lacking.append("root")
    if shutil.which("debootstrap") is None:
        lacking.append("debootstrap (`apt-get install debootstrap`)")
    if lacking:
        raise SandboxUnavailable(
            "there is no base image for the sandbox: no registry answers, and making one here "
            f"needs {' and '.join(lacking)}. Load any image with Python 3.11 or newer "
            f"(`docker load`) and name it: {VARIABLE}=image:tag, or "
            "`python -m sandbox build --base image:tag`"
        )
    mirror = debian_mirror()
    on_progress("sandbox: no registry answers; making a base image by debootstrap (a minute, once)")
    with tempfile.TemporaryDirectory(prefix="synth-dspy-base-") as folder:
        root = Path(folder) / "root"
        command = [
            "debootstrap",
            "--variant=minbase",
            "--include=python3",
            SUITE,
            str(root),
            *([mirror] if mirror else []),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stdout + done.stderr).strip().splitlines()[-3:]
            raise SandboxUnavailable(
                f"debootstrap failed: {' / '.join(last)}. Name a base image instead: "
                f"{VARIABLE}=image:tag"
            )
        archive = Path(folder) / "root.tar"
        skipped = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man")
        excludes = [f"--exclude=./{path}/*" for path in skipped]
        subprocess.run(["tar", "-C", str(root), "-cf", str(archive), *excludes, "."], check=True)
        repository, tag = MADE_HERE.split(":")
        changes = ["LABEL synth-dspy=base"]
        client.api.import_image_from_file(
            str(archive), repository=repository, tag=tag, changes=changes
        )
    return MADE_HERE


def debian_mirror(folder: Path = Path("/etc/apt")) -> str | None:
    """The mirror this machine installs Debian from; None where debootstrap has to know its own."""
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        text = file.read_text(errors="replace")
        for line in text.splitlines():
            found = re.match(r"(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)(https?://\S+)", line.strip())
            if found and re.search(r"/debian/?$", found[1]):
                return found[1].rstrip("/")
    return None
