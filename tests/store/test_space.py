"""What is said when a file of a run cannot be written: what happened, and what to do."""

from __future__ import annotations

import errno
import os

import pytest

from synth_dspy.store.space import said


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space and run the same command again."),
        (errno.EDQUOT, "free some space and run the same command again."),
        (errno.EACCES, "Mend its permissions, or set output_dir to another folder."),
        (errno.EROFS, "Mend its permissions, or set output_dir to another folder."),
    ],
)
def test_a_fault_of_the_disk_comes_with_its_remedy(number: int, remedy: str) -> None:
    text = said(OSError(number, os.strerror(number)))
    assert text.startswith(f"{os.strerror(number)}. ")
    assert text.endswith(remedy)


def test_a_fault_that_nobody_knows_is_told_as_it_is() -> None:
    assert said(OSError(errno.EIO, "Input/output error")) == "Input/output error."
