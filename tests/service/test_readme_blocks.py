"""The README's section on the REST service: its curl commands and its Python, run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commandline import ROOT, command, environment

SECTION = (
    (ROOT / "README.md").read_text().partition("## Examples for routers")[2].partition("\n## ")[0]
)


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that was started as the section says."""
    process = subprocess.Popen(
        command("serve", "--port", "0"), cwd=tmp_path_factory.mktemp("serve"), env=environment(),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("serving http://127.0.0.1:"), line
        yield line.split()[1].removesuffix("/synthetic")
    finally:
        process.terminate()
        process.wait(30)


def test_the_curl_commands_answer(server: str) -> None:
    text = block("sh").replace("\\\n", " ").replace("http://127.0.0.1:8000", server)
    commands = [shlex.split(line) for line in text.splitlines() if line.strip()]
    assert len(commands) == 2
    answers = [
        json.loads(subprocess.run(line, capture_output=True, check=True).stdout)
        for line in commands
    ]
    generated, optimizers = answers
    assert generated["count"] == len(generated["data"]) == 10
    assert {"modality", "cross_modal", "routing", "workflow", "unified"} <= optimizers.keys()


def test_the_python_makes_a_training_set(tmp_path: Path) -> None:
    (tmp_path / "block.py").write_text(block("python") + "\nprint(len(trainset))\n")
    done = subprocess.run(
        [sys.executable, "block.py"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "50"
