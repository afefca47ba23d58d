"""Running `rows` in this process, and reading what it made."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from synth_dspy.run import main
from synth_dspy.store.run_directory import read_jsonl
from tests.commandline import QUICKSTART, Result
from tests.loopback import Loopback

DOCS = QUICKSTART.parent / "docs"


def here(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """A command in this process: the same as `run`, in a tenth of its time."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["synth-dspy", *arguments])
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Result(code, out.getvalue(), err.getvalue())


def rows(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """`rows` without an analysis."""
    return here(cwd, "rows", *arguments, "--skip-analysis", env=env)


def of_docs(cwd: Path, name: str, *arguments: str) -> Result:
    """The same, on the documents of the quickstart."""
    return rows(cwd, "--documents", str(DOCS), "--format", name, *arguments)


def made(cwd: Path, name: str, origin: str = "docs") -> list[dict[str, object]]:
    """The rows of the JSONL file."""
    return list(read_jsonl(cwd / f"synthetic_data_{name}_from_{origin}.jsonl"))


def asked(server: Loopback, *arguments: str) -> tuple[str, ...]:
    """Flags for rows on rivers from the model of `server`."""
    return ("--query", "rivers", "--model", "m", "--base-url", server.url, *arguments)
