"""The sandbox's image: its name says what is in it, so it is built exactly when that changed.

Enters: a Docker client, the base (or where to look for one), pinned packages. Leaves: an image
name. Nothing is pulled or built when an image of that name exists.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.backend import PACKAGE, Progress, image_folder, worker_modules
from sandbox.base import resolve_base
from sandbox.docker_backend import LABEL
from sandbox.errors import SandboxUnavailable
from sandbox.site import install_site

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "synth-dspy-sandbox"
CONTEXT_LABEL = "synth-dspy.context"  # what an image was built from, packages and base apart
PYTHON_OF = "import sys, platform; print(*sys.version_info[:2], platform.machine())"


def image_name(base: str = "", packages: Sequence[str] = ()) -> str:
    """Name and tag of the image: a hash of the build context, the base if given, the packages."""
    request = "\0".join([context_hash(), base, *sorted(packages)])
    return f"{REPOSITORY}:{hashlib.sha256(request.encode()).hexdigest()[:16]}"


def context_hash() -> str:
    """16 hex characters over the Dockerfile and the worker's modules: the version of the box."""
    digest = hashlib.sha256()
    for path in [image_folder() / "Dockerfile", *worker_modules()]:
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def ensure_image(
    client: DockerClient, *, base: str = "", packages: Sequence[str] = (), on_progress: Progress
) -> str:
    """The image's name, after building it (and its base) where that is needed.

    Raises:
        SandboxUnavailable: there is no base image and none can be made, a package cannot be had,
            or the build failed; the text says which and what to do.
    """
    import docker

    name = image_name(base, packages)
    try:
        client.images.get(name)
        return name
    except docker.errors.ImageNotFound:
        pass
    found = resolve_base(client, base, on_progress)
    site: Path | None = None
    if packages:
        python, machine = python_of(client, found)
        site = install_site(packages, python, machine, on_progress)
    on_progress(f"sandbox: building the image {name} from {found} (once)")
    try:
        client.images.build(
            fileobj=_context(site),
            custom_context=True,
            tag=name,
            buildargs={"BASE": found},
            labels={LABEL: "image", CONTEXT_LABEL: context_hash()},
            network_mode="none",
            rm=True,
            forcerm=True,
        )
    except (docker.errors.BuildError, docker.errors.APIError) as error:
        raise SandboxUnavailable(
            f"the image {name} cannot be built from {found}: {error}"
        ) from error
    return name


def python_of(client: DockerClient, image: str) -> tuple[str, str]:
    """Python's version ("3.11") in an image, and the machine it runs on ("x86_64").

    Raises:
        SandboxUnavailable: the image has no `python3`, or one that is too old.
    """
    import docker

    try:
        command = ["python3", "-c", PYTHON_OF]
        labels = {LABEL: "probe"}
        said: Any = client.containers.run(
            image, command, entrypoint="", network_mode="none", remove=True, labels=labels
        )
        major, minor, machine = said.decode().split()
    except (docker.errors.DockerException, ValueError) as error:
        raise SandboxUnavailable(f"the base image {image!r} cannot run python3: {error}") from error
    if (int(major), int(minor)) < (3, 11):
        raise SandboxUnavailable(
            f"the base image {image!r} has Python {major}.{minor}; 3.11 or newer is needed"
        )
    return f"{major}.{minor}", machine


def _context(site: Path | None) -> io.BytesIO:
    """The build context as a tar file; the same input gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        _add(tar, image_folder() / "Dockerfile", "Dockerfile")
        for module in worker_modules():
            _add(tar, module, f"{PACKAGE}/{module.name}")
        folder = tarfile.TarInfo("site")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for path in sorted(site.rglob("*")) if site else []:
            if path.is_file():
                _add(tar, path, f"site/{path.relative_to(site or path)}")
    buffer.seek(0)
    return buffer


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = path.stat().st_size, 0o755 if path.suffix == ".so" else 0o644
    with path.open("rb") as file:
        tar.addfile(info, file)


def collect_garbage(client: DockerClient, *, everything: bool = False) -> list[str]:
    """Removes containers of ours that have ended, and images; returns their names.

    Args:
        everything: every image, not only those that an older version of the box has left. What
            another configuration uses (other packages, another base) is of the present version.
    """
    removed = []
    present = context_hash()
    ours: dict[str, str | list[str] | bool] = {"label": LABEL}
    for container in client.containers.list(all=True, filters=ours, ignore_removed=True):
        if container.status != "running":
            container.remove(force=True)
            removed.append(container.name or "")
    for image in client.images.list(name=REPOSITORY):
        if everything or image.labels.get(CONTEXT_LABEL) != present:
            removed += [tag for tag in image.tags if _remove(client, tag)]
    return removed


def _remove(client: DockerClient, tag: str) -> bool:
    """Whether the image is gone; one that a running container uses stays."""
    import docker

    try:
        client.images.remove(tag, force=False)
    except docker.errors.APIError:
        return False
    return True


def host_python() -> str:
    """The version of the Python that runs this, as "3.11"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"
