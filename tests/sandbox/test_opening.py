"""Which sandbox is opened, what is said, and what is never done silently."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox import Limits, SandboxUnavailable, open_sandbox
from sandbox import opening as module
from sandbox.base import debian_mirror
from sandbox.image.seccomp import program, table
from sandbox.images import image_name
from sandbox.site import check_pinned


def _none(*_: object) -> None:
    raise SandboxUnavailable("nothing is here")


def test_without_docker_and_bubblewrap_the_error_names_every_way_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "connect", _none)
    monkeypatch.setattr(module, "check_bwrap", _none)
    with pytest.raises(SandboxUnavailable) as info:
        open_sandbox("auto")
    for part in ("docker.io", "bubblewrap", "not root", "--set sandbox.backend=process"):
        assert part in str(info.value)


def test_without_dockers_client_the_text_names_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)  # as if it were not installed
    with pytest.raises(SandboxUnavailable, match="`pip install docker` brings it"):
        open_sandbox("docker")


def test_bubblewrap_instead_of_docker_is_said_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "connect", _none)
    monkeypatch.setattr(module, "check_bwrap", lambda: "/usr/bin/bwrap")
    monkeypatch.setattr("sandbox.bwrap_backend.check_bwrap", lambda: "/usr/bin/bwrap")
    said: list[str] = []
    assert open_sandbox("auto", on_progress=said.append).isolation == "bwrap"
    assert "bubblewrap" in said[0]


def test_the_process_backend_warns_loudly() -> None:
    said: list[str] = []
    assert open_sandbox("process", on_progress=said.append).isolation == "process"
    assert "NO ISOLATION" in said[0]


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ValueError, match="'podman'"):
        open_sandbox("podman")  # type: ignore[arg-type]


def test_no_workers_are_refused() -> None:
    with pytest.raises(ValueError, match="workers is -1"):
        open_sandbox("process", workers=-1, limits=Limits())


def test_the_images_name_changes_with_what_is_in_it() -> None:
    names = {image_name(), image_name("debian:x"), image_name("", ["numpy==2.0.0"])}
    assert len(names) == 3
    assert image_name("", ["a==1", "b==1"]) == image_name("", ["b==1", "a==1"])


@pytest.mark.parametrize("package", ["numpy", "numpy>=1", "git+https://x/y", "-r file", "./local"])
def test_a_package_without_an_exact_version_is_refused(package: str) -> None:
    with pytest.raises(SandboxUnavailable, match="not pinned"):
        check_pinned([package])


@pytest.mark.parametrize("package", ["numpy==2.2.6", "pydantic[email]==2.9.0", "a.b-c_d==1!2.0+x"])
def test_an_exact_version_is_accepted(package: str) -> None:
    check_pinned([package])


def test_the_mirror_is_the_one_this_machine_uses(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        "# deb http://no/debian x\ndeb [a=b] https://m.example/debian x main\n"
    )
    assert debian_mirror(tmp_path) == "https://m.example/debian"


def test_the_mirror_of_a_deb822_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: http://m.example/debian-security\n\nTypes: deb\nURIs: http://m.example/debian/\n"
    )
    assert debian_mirror(tmp_path) == "http://m.example/debian"


def test_without_a_mirror_debootstrap_uses_its_own(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://archive.example/ubuntu jammy main\n")
    assert debian_mirror(tmp_path) is None


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_both_machines_have_a_filter_that_denies_the_same_calls(machine: str) -> None:
    assert table(machine).keys() == table("x86_64").keys()
    assert len(set(table(machine).values())) == len(table(machine))
    assert len(program(machine)) // 8 <= 4096


def test_any_other_machine_has_no_filter_and_so_no_worker() -> None:
    with pytest.raises(KeyError):
        program("riscv64")


def test_importing_the_package_loads_neither_docker_nor_the_project() -> None:
    code = (
        "import sys, sandbox\n"
        "bad = {'docker', 'requests', 'dspy', 'synth_dspy', 'numpy'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    root = Path(sandbox.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_the_build_context_is_beside_the_modules() -> None:
    folder = Path(sandbox.__file__).parent / "image"
    assert (folder / "Dockerfile").read_text().count("ARG BASE") == 1
    assert {"worker.py", "codec.py", "split.py"} <= {p.name for p in folder.glob("*.py")}
