"""The Makefile, tried in a copy whose `.venv` is a stand-in that logs its calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROMISED = (
    "install", "run", "trial", "test", "test-all", "lint", "bench", "stats", "clean",
    "stage-<name>", "full", "stage1", "stage2", "stage3", "stage4", "stage5", "stage6", "stage7",
)  # fmt: skip

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="apt-get install make")


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@dataclass
class House:
    """A copy of the Makefile; `scripts/install` and `.venv` only log."""

    root: Path

    def __post_init__(self) -> None:
        shutil.copy(ROOT / "Makefile", self.root)
        (self.root / "pyproject.toml").touch()
        (self.root / "sandbox" / "image").mkdir(parents=True)
        self.behave("exit 0")
        write_program(
            self.root / "scripts" / "install",
            'echo "install $*" >> log\nmkdir -p .venv/bin\ncp python .venv/bin/python',
        )

    def behave(self, text: str) -> None:
        """What the environment's Python does, after logging its arguments."""
        write_program(self.root / "python", f'echo "python $*" >> log\n{text}')
        if (self.root / ".venv" / "bin").is_dir():
            shutil.copy(self.root / "python", self.root / ".venv" / "bin" / "python")

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "ARGS")}
        return subprocess.run(
            ["make", *arguments], cwd=self.root, env=env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def calls(self, *arguments: str) -> list[str]:
        """What `make` with these arguments, which has to succeed, has called."""
        log = self.root / "log"
        log.unlink(missing_ok=True)
        done = self.make(*arguments)
        assert done.returncode == 0, done.stderr
        return [line.strip() for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_help_lists_every_promised_target_with_one_line(house: House) -> None:
    said = house.make("help").stdout
    for target in PROMISED:
        assert re.search(rf"^  {re.escape(target)} +\S.*$", said, re.MULTILINE), target


def test_make_alone_shows_the_help(house: House) -> None:
    assert house.make().stdout == house.make("help").stdout != ""


def test_run_on_a_fresh_machine_installs_then_builds_the_image_then_runs(house: House) -> None:
    assert house.calls("run") == [
        "install",
        "python -m sandbox build",
        "python -m synth_dspy.run",
    ]


def test_a_second_run_sets_nothing_up_again(house: House) -> None:
    house.calls("run")
    assert house.calls("run") == ["python -m synth_dspy.run"]


def test_tests_on_a_fresh_machine_install_the_tools_first(house: House) -> None:
    calls = house.calls("test")
    assert calls[:2] == ["install dev", "python -m sandbox build"]
    assert calls[2].startswith("python -m pytest ")
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("target", "selection"),
    [("test", "-m not slow"), ("test-slow", "-m slow"), ("test-all", "")],
)
def test_each_test_target_runs_its_share(house: House, target: str, selection: str) -> None:
    given = house.calls(target)[-1].removeprefix("python -m pytest")
    assert given.endswith(selection)
    assert (" -m " in given) == bool(selection)


def test_a_run_after_the_tests_does_not_install_again(house: House) -> None:
    house.calls("test")
    assert house.calls("run") == ["python -m synth_dspy.run"]


def test_a_changed_pyproject_installs_again(house: House) -> None:
    house.calls("test")
    later = (house.root / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(house.root / "pyproject.toml", (later, later))
    assert house.calls("lint")[0] == "install dev"


def test_a_changed_worker_builds_the_image_again(house: House) -> None:
    house.calls("install")
    (house.root / "sandbox" / "image" / "worker.py").touch()
    later = (house.root / ".venv" / ".image").stat().st_mtime + 10
    os.utime(house.root / "sandbox" / "image" / "worker.py", (later, later))
    assert house.calls("install") == ["python -m sandbox build"]


def test_an_image_that_cannot_be_built_is_said_and_ends_nothing(house: House) -> None:
    house.behave('[ "$2" != sandbox ]')
    done = house.make("run")
    assert done.returncode == 0
    assert "could not be built" in done.stderr


def test_an_installation_that_fails_is_not_taken_for_done(house: House) -> None:
    write_program(house.root / "scripts" / "install", "exit 1")
    assert house.make("install").returncode != 0
    assert not (house.root / ".venv" / ".installed").exists()


def test_a_run_that_fails_fails_make(house: House) -> None:
    house.behave('[ "$2" != synth_dspy.run ]')
    assert house.make("run").returncode != 0


def test_arguments_are_handed_on(house: House) -> None:
    assert house.calls("run", "ARGS=--set seed=7")[-1] == "python -m synth_dspy.run --set seed=7"


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("trial", "python -m synth_dspy.run pipeline --trial"),
        ("stats", "python -m synth_dspy.run stats"),
        ("full", "python -m synth_dspy.run pipeline --config configs/conversations.yaml"),
        ("stage1", "python -m synth_dspy.run extract-qa --config configs/conversations.yaml"),
        ("stage7", "python -m synth_dspy.run select --config configs/conversations.yaml"),
        ("stage-parse", "python -m synth_dspy.run parse"),
        ("stage-filter-chunks", "python -m synth_dspy.run filter-chunks"),
        ("bench", "python -m benchmarks"),
        ("lint", "python -m mypy"),
    ],
)
def test_each_target_runs_its_command(house: House, target: str, call: str) -> None:
    assert house.calls(target)[-1] == call


def test_a_recipe_of_ones_own_is_named_by_config(house: House) -> None:
    for target, command in (
        ("trial", "pipeline --trial"),
        ("stats", "stats"),
        ("stage3", "converse"),
    ):
        call = house.calls(target, "CONFIG=my.yaml")[-1]
        assert call == f"python -m synth_dspy.run {command} --config my.yaml"


def test_a_file_with_a_stages_name_does_not_stop_the_stage(house: House) -> None:
    (house.root / "stage-parse").touch()
    assert house.calls("stage-parse")[-1] == "python -m synth_dspy.run parse"


def test_lint_ends_at_the_first_fault(house: House) -> None:
    house.behave('[ "$2" != ruff ]')
    assert house.make("lint").returncode != 0


def test_clean_removes_the_environment_and_keeps_outputs_without_a_terminal(house: House) -> None:
    house.calls("install")
    (house.root / "outputs" / "quickstart").mkdir(parents=True)
    (house.root / "sandbox" / "__pycache__").mkdir()
    done = house.make("clean")
    assert done.returncode == 0
    assert not (house.root / ".venv").exists()
    assert not (house.root / "sandbox" / "__pycache__").exists()
    assert (house.root / "outputs" / "quickstart").is_dir()
    assert "outputs/ is kept" in done.stdout
