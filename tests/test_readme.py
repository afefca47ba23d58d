"""The README is true: its commands run, its make targets exist, its tree is what is there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from synth_dspy.commands.informing import settings_table
from tests.commandline import ROOT, run
from tests.commands.conftest import Quickstart, quickstart

__all__ = ["quickstart"]

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ").partition("#")[0].strip()
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith("$ ")
]
OURS = [command for command in COMMANDS if command.startswith("python -m synth_dspy.run")]


def test_every_command_is_one_that_is_checked_here() -> None:
    others = [command for command in COMMANDS if command not in OURS]
    assert all(re.fullmatch(r"make [\w-]+", command) for command in others)
    assert OURS


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_the_make_targets_exist(command: str) -> None:
    done = subprocess.run(
        ["make", "-n", command.split()[1]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_commands_run_in_their_order(
    tmp_path: Path, quickstart: Quickstart, sandbox_backend: str
) -> None:
    shutil.copytree(quickstart.cwd / "outputs", tmp_path / "outputs")  # as `make run` left it
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for command in OURS:
        arguments = shlex.split(command)[3:]
        if not arguments or arguments[0] == "pipeline":
            arguments += ["pipeline"] if not arguments else []
            arguments += ["--skip-analysis"]
        if arguments[0] in ("pipeline", "preview"):
            arguments += ["--set", f"sandbox.backend={sandbox_backend}"]
        result = run(*arguments, cwd=tmp_path)
        allowed = {0, 1} if arguments[0] == "doctor" else {0}
        assert result.code in allowed, (command, result.err)


def test_the_tree_names_what_is_there_and_all_of_it() -> None:
    block = re.search(r"^```text\n(signatures/.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert block is not None
    top, inner = set(), set()
    for line in block[1].splitlines():
        name = line.split()[0].rstrip("/")
        (inner if line.startswith("  ") else top).add(name)
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert top == folders - {"outputs", "build", "dist", "mlruns"}
    package = {p.name for p in (ROOT / "synth_dspy").iterdir() if p.name != "py.typed"}
    assert inner == {name for name in package if not name.startswith("__")}


def test_every_message_that_is_explained_is_one_of_ours() -> None:
    section = README.partition("## When something goes wrong")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(messages) > 5
    sources = [
        re.sub(r'"\s*f?"', "", path.read_text(encoding="utf-8"))  # texts over several lines
        for package in ("synth_dspy", "sandbox")
        for path in (ROOT / package).rglob("*.py")
    ]
    for message in messages:
        assert any(message in source for source in sources), message


def test_the_table_of_settings_is_that_of_the_models() -> None:
    section = README.partition("## Settings\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert rows == list(settings_table()), "paste the output of `info --settings` into README.md"
