"""Which stage a name means, in which recipe."""

from __future__ import annotations

import pytest

from synth_dspy.errors import StageError
from synth_dspy.recipes.registry import stage_named


def test_a_stage_of_another_recipe_is_named_with_its_configuration() -> None:
    with pytest.raises(StageError, match=r"'converse' is a stage of the recipe 'conversations'"):
        stage_named("assistant", "converse")


def test_an_unknown_stage_is_answered_with_the_nearest() -> None:
    with pytest.raises(StageError, match=r"There is no stage 'parze'. Did you mean 'parse'\?"):
        stage_named("assistant", "parze")


def test_a_folder_that_two_stages_share_means_the_command() -> None:
    assert stage_named("assistant", "planned").name == "plan"
