"""What was found in a run, as its dataset card is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.recipes.findings import CALIBRATION, calibration_of
from synth_dspy.records import Step
from synth_dspy.store.run_directory import RunDirectory, write_json

FOUND = {
    "step": "judge_sample", "model": "m", "program": "ab", "prompt_sha": "77", "kappa": 0.5,
}  # fmt: skip


def test_a_judge_that_was_never_calibrated_has_no_calibration(tmp_path: Path) -> None:
    assert calibration_of(RunDirectory(tmp_path), Step("m"), "77") is None


def test_the_calibration_of_the_judge_in_use_is_told(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION, FOUND)
    assert calibration_of(RunDirectory(tmp_path), Step("m", "ab"), "77") == FOUND


@pytest.mark.parametrize("judge", [Step("other", "ab"), Step("m", "cd"), Step("m")])
def test_the_calibration_of_another_judge_is_not(tmp_path: Path, judge: Step) -> None:
    write_json(tmp_path / CALIBRATION, FOUND)
    assert calibration_of(RunDirectory(tmp_path), judge, "77") is None


def test_the_calibration_of_another_prompt_is_not(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION, FOUND)
    assert calibration_of(RunDirectory(tmp_path), Step("m", "ab"), "78") is None
