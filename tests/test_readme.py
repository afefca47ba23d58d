"""The README is true: its commands run, its make targets exist, its tree is what is there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from synth_dspy.commands.informing import settings_table
from tests.commandline import ROOT, run
from tests.commands.conftest import Quickstart, quickstart
from tests.commands.rows_runs import here

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


@pytest.mark.timeout(600)  # some thirty commands, and the quickstart before them
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
    top: set[str] = set()
    inner: set[str] = set()
    for line in block[1].splitlines():
        name = line.split()[0].rstrip("/")
        (inner if line.startswith("  ") else top).add(name)
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert top == folders - {"outputs", "build", "dist", "mlruns"}
    package = {p.name for p in (ROOT / "synth_dspy").iterdir() if p.name != "py.typed"}
    assert inner == {name for name in package if not name.startswith("__")}


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    files = [link.partition("#")[0] for link in links if "://" not in link]
    assert "sandbox/README.md" in files
    for file in files:
        assert (ROOT / file).is_file(), file


def test_the_picture_of_the_report_is_one_and_is_small() -> None:
    pictures = re.findall(r"!\[[^\]]{20,}\]\(([^)]+\.png)\)", README)
    assert pictures
    for picture in pictures:
        with Image.open(ROOT / picture) as image:
            assert image.width >= 1000
        assert (ROOT / picture).stat().st_size < 150_000


SECTION = README.partition("## Your own documents, your own model")[2].partition("\n## ")[0]
MODELS = re.findall(r"^\| ([^|]+) \| `(--model [^`]+)` \|$", SECTION, re.MULTILINE)


def test_every_kind_of_model_is_shown() -> None:
    told = " ".join(who for who, _ in MODELS)
    assert re.findall("offline|OpenAI,|Gemini|Anthropic|vLLM|Ollama", told) == [
        "offline", "OpenAI,", "Gemini", "Anthropic", "vLLM", "Ollama",
    ]  # fmt: skip


@pytest.mark.parametrize(("who", "flags"), MODELS)
def test_what_init_is_told_of_a_model_makes_a_valid_configuration(
    tmp_path: Path, who: str, flags: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Rain\n\nA gauge collects rain.\n")
    keys = dict.fromkeys(re.findall(r"`([A-Z_]+_API_KEY)`", who), "a-key")
    written = here(tmp_path, "init", "--documents", "docs", *shlex.split(flags), env=keys)
    assert written.code == 0, written.err
    checked = here(tmp_path, "validate-config", "--config", "synth.yaml", env=keys)
    assert checked.code == 0, checked.err
    named = shlex.split(flags)[1]
    assert named in checked.out or named.partition("/")[2] in checked.out
    assert "a-key" not in (tmp_path / "synth.yaml").read_text()


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
