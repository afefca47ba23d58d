"""The setup scripts, tried where PATH holds stand-ins for Python, pip and uv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.test_makefile import write_program

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("scripts/find-python", "scripts/install", "scripts/start-docker", ".ci/run")


def find_python(path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """`scripts/find-python` where PATH holds `path` alone."""
    bash = shutil.which("bash") or "/bin/bash"
    return subprocess.run(
        [bash, ROOT / "scripts" / "find-python"], env={"PATH": str(path), **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


# Stand-ins for Python: `-c` with a version test, or with an import of what makes environments.
GOOD = "exit 0"
TOO_OLD = '[[ "$2" != *version_info* ]]'
WITHOUT_VENV = '[[ "$2" != *ensurepip* ]]'
STUB = "exit 127"


def test_the_newest_python_that_works_is_found(tmp_path: Path) -> None:
    write_program(tmp_path / "python3.13", STUB)
    write_program(tmp_path / "python3.12", WITHOUT_VENV)
    write_program(tmp_path / "python3.11", GOOD)
    write_program(tmp_path / "python3", GOOD)
    assert find_python(tmp_path).stdout.strip() == str(tmp_path / "python3.11")


def test_the_python_that_is_named_is_taken(tmp_path: Path) -> None:
    write_program(tmp_path / "python3.13", GOOD)
    write_program(tmp_path / "mine", GOOD)
    named = str(tmp_path / "mine")
    assert find_python(tmp_path, PYTHON=named).stdout.strip() == named


def test_a_machine_without_a_new_enough_python_is_told_what_to_install(tmp_path: Path) -> None:
    write_program(tmp_path / "python3", TOO_OLD)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "No Python 3.11 or newer was found" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_that_makes_no_environments_names_the_missing_package(tmp_path: Path) -> None:
    write_program(tmp_path / "python3", WITHOUT_VENV)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_uv_makes_environments_for_such_a_python(tmp_path: Path) -> None:
    write_program(tmp_path / "python3", WITHOUT_VENV)
    write_program(tmp_path / "uv", GOOD)
    assert find_python(tmp_path).stdout.strip() == str(tmp_path / "python3")


def test_a_named_python_that_is_too_old_is_refused_by_name(tmp_path: Path) -> None:
    write_program(tmp_path / "python3", GOOD)
    write_program(tmp_path / "old", TOO_OLD)
    done = find_python(tmp_path, PYTHON=str(tmp_path / "old"))
    assert done.returncode == 1
    assert f"PYTHON={tmp_path / 'old'}" in done.stderr


class Installation:
    """`scripts/install` in a folder of its own, with stand-ins for Python, pip and uv."""

    PYTHON = """
case "$*" in
  "--version") echo Python 3.12.0;;
  "-m venv --clear .venv")
    echo "python $*" >> log; mkdir -p .venv/bin; cp bin/python3 .venv/bin/python;;
  "-m pip install"*) echo "pip ${*: -1}" >> log;;
esac"""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "scripts").mkdir()
        for name in ("find-python", "install"):
            shutil.copy(ROOT / "scripts" / name, root / "scripts")
        write_program(root / "bin" / "python3", self.PYTHON)

    def run(self, *arguments: str) -> list[str]:
        path = f"{self.root / 'bin'}:{os.defpath}"
        env = {"PATH": path, "PYTHON": str(self.root / "bin" / "python3")}
        subprocess.run([self.root / "scripts" / "install", *arguments], env=env, check=True)
        return (self.root / "log").read_text().splitlines()


def test_an_installation_makes_the_environment_and_adds_the_extras(tmp_path: Path) -> None:
    assert Installation(tmp_path).run("dev") == ["python -m venv --clear .venv", "pip .[dev]"]


def test_an_environment_that_works_is_kept(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.run()
    assert installation.run() == ["python -m venv --clear .venv", "pip .", "pip ."]


def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.run()
    write_program(tmp_path / ".venv" / "bin" / "python", STUB)
    assert installation.run().count("python -m venv --clear .venv") == 2


def test_pip_is_tried_where_uv_fails(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    write_program(tmp_path / "bin" / "uv", 'echo "uv $1" >> log; exit 1')
    assert installation.run() == ["uv venv", "python -m venv --clear .venv", "uv pip", "pip ."]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_run_and_are_bash(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK), f"chmod +x {script}"
    assert (ROOT / script).read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.mark.parametrize("file", ["Makefile", "pyproject.toml", *SCRIPTS])
def test_no_package_index_is_named(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not re.search(r"https?://|index-url|find-links|trusted-host", text)


def test_the_installed_tools_are_those_that_pyproject_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    dev = project["project"]["optional-dependencies"]["dev"]
    pins = dict(line.split("==") for line in dev if "==" in line)
    assert {name: version(name) for name in ("ruff", "mypy")} == pins


def test_pre_commit_runs_the_pinned_tools_from_the_environment() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    for tool in ("ruff", "mypy"):
        assert f"entry: .venv/bin/python -m {tool}" in hooks
        assert f"({version(tool)})" in hooks
    assert "http" not in hooks
