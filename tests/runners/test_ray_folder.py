"""The folder of a cluster that is started here: nothing of a killed run stays for good."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from synth_dspy.runners.ray.folder import SessionFolder
from tests.commandline import environment

OWNER = """
import sys, time
from pathlib import Path
from synth_dspy.runners.ray.folder import SessionFolder
folder = SessionFolder(Path(sys.argv[1]))
print(folder.path, flush=True)
time.sleep(60)
"""


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    (folder.path / "session" / "logs").mkdir(parents=True)
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_owner_is_removed_by_the_next_and_one_in_use_stays(
    tmp_path: Path,
) -> None:
    mine = SessionFolder(tmp_path)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert owner.stdout is not None
    theirs = Path(owner.stdout.readline().strip())
    assert theirs.is_dir()
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    following = SessionFolder(tmp_path)
    assert set(tmp_path.iterdir()) == {mine.path, following.path}
    mine.remove()
    following.remove()


def test_a_folder_that_another_program_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "synth-ray-notes").mkdir()
    SessionFolder(tmp_path).remove()
    assert (tmp_path / "synth-ray-notes").is_dir()
