"""What a run works with, handed to whoever works elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.config import Config
from synth_dspy.recipes.resources import Resources
from tests.programs.compiled import classify_artefact


def test_promoted_programs_that_are_handed_over_are_not_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where there are none
    config = Config.model_validate({"dataset": {"name": "t"}, "sources": [{"path": "docs"}]})
    given = {"classify": classify_artefact("Sort it.")}
    handed = Resources(config, lambda _line: None, looked_up=given)
    assert handed.compiled == given


@pytest.mark.parametrize(("neighbours", "share"), [(1, 5), (2, 3), (8, 1)])
def test_processes_of_a_machine_share_its_processors(neighbours: int, share: int) -> None:
    config = Config.model_validate({"dataset": {"name": "t"}, "sources": [{"path": "docs"}]})
    assert Resources(config, lambda _line: None, neighbours=neighbours).share(5) == share
