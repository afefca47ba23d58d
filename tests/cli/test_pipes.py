"""A reader of standard output that goes away, as `head` and `less` do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.commandline import command, environment


def test_a_reader_that_goes_away_is_not_a_fault(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command("info", "--settings"),
            cwd=tmp_path,
            env=environment(),
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
