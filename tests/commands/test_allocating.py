"""analyze-allocation and what `plan` tells of its plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.commandline import Result, overrides

Small = Callable[..., Result]
PREPARE = ("parse", "transcribe", "filter-images", "chunk", "filter-chunks")


def test_an_allocation_is_analysed_before_anything_is_planned(project: Path, small: Small) -> None:
    early = small("analyze-allocation", "--target", "5")
    assert early.code == 2
    assert "Run `python -m synth_dspy.run filter-chunks` first" in early.err
    for stage in PREPARE:
        assert small(stage).code == 0
    result = small("analyze-allocation", "--target", "5", "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["target_samples"] == 5
    assert found["acceptance_basis"] == "assumed"
    assert set(found["recommended"]) == {
        "diversity_weight", "over_allocation_factor", "target_samples",
    }  # fmt: skip
    with Image.open(found["plot"]) as plot:
        assert plot.width > plot.height
    assert "recommended diversity_weight" in small("analyze-allocation").out


def test_another_recipe_is_refused(small: Small) -> None:
    result = small("analyze-allocation", *overrides(recipe="rows"))
    assert result.code == 2
    assert "recipe" in result.err


def test_where_no_passage_was_kept_the_text_says_where_to_look(project: Path, small: Small) -> None:
    (project / "docs" / "rain.md").write_text("Hello.\n")
    for stage in PREPARE:
        assert small(stage).code == 0
    result = small("analyze-allocation")
    assert result.code == 2
    assert "filter-chunks kept no passage" in result.err
    assert "inspect --stage filter-chunks --dropped" in result.err


def test_plan_tells_coverage_and_reuse_and_plots_them(project: Path, small: Small) -> None:
    for stage in PREPARE:
        assert small(stage).code == 0
    result = small("plan")
    assert result.code == 0, result.err
    assert "of 1 passages (100%)" in result.err
    plotted = project / "outputs" / "small" / "planned" / "coverage.png"
    with Image.open(plotted) as plot:
        assert plot.width > 0
