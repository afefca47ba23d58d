"""The commands that a run tells the user to type next: they meet the same run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from tests.commandline import Result, run


def test_the_next_command_of_a_trial_with_overrides_shows_the_trials_records(
    small: Callable[..., Result], project: Path
) -> None:
    result = small(
        "pipeline", "--trial", "--skip-analysis", "--set", "generation.target_samples=2",
        "--set", "dataset.description=it's mine",
    )  # fmt: skip
    (told,) = re.findall(r"^next +python -m synth_dspy\.run (.*)$", result.err, re.MULTILINE)
    shown = run(*shlex.split(told), cwd=project)
    assert shown.code == 0, shown.err
    assert "question: " in shown.out
    assert not (project / "outputs" / "small").exists()


def test_a_run_that_is_not_there_is_told_with_the_command_that_makes_it(
    small: Callable[..., Result],
) -> None:
    result = small("stats", "--set", "output_dir=elsewhere")
    assert result.code == 2
    assert (
        "run `python -m synth_dspy.run pipeline --config config.yaml --set output_dir=elsewhere`"
        in result.err
    )
