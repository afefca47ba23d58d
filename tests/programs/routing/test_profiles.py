"""The selection of profiles, by rules and by a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.config.routing import Profile, Routing
from synth_dspy.programs.routing.profiles import ProfileSelector
from tests.loopback import Loopback
from tests.programs.routing.made import program

pytestmark = pytest.mark.anyio

PROFILES = Routing().profiles


async def test_rules_cover_all_modalities_with_few_profiles() -> None:
    chosen = await ProfileSelector(PROFILES).select_profiles("anything", 3)
    assert set(chosen.modalities) == {"VIDEO", "DOCUMENT", "IMAGE", "AUDIO"}
    assert len(chosen.profiles) == 2
    assert all(name in chosen.reasoning for name in chosen.profiles)


@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_no_more_profiles_than_the_limit(limit: int) -> None:
    chosen = await ProfileSelector(PROFILES).select_profiles("anything", limit)
    assert 1 <= len(chosen.profiles) <= limit


async def test_among_equals_the_one_that_fits_the_task_comes_first() -> None:
    profiles = {
        "a": Profile(description="Key frames.", modalities=("VIDEO",)),
        "b": Profile(description="Spoken words.", modalities=("VIDEO",)),
    }
    chosen = await ProfileSelector(profiles).select_profiles("routing spoken queries", 1)
    assert chosen.profiles == ("b",)


async def test_the_offline_model_selects_with_reasons(tmp_path: Path) -> None:
    with program(tmp_path, routing={"profile_selection": "model"}) as made:
        chosen = await made.selector.select_profiles("video search", 2)
    assert len(chosen.profiles) == 2
    assert chosen.reasoning.startswith("Together they cover")


async def test_a_model_that_names_no_profile_gives_way_to_the_rules(tmp_path: Path) -> None:
    with Loopback(answer=lambda _: {"selected_profiles": ["made_up"], "why": "So."}) as server:
        endpoint = {"name": "m", "model_name": "m", "base_url": server.url}
        models = {"endpoints": [endpoint]}
        with program(tmp_path, routing={"profile_selection": "model"}, models=models) as made:
            chosen = await made.selector.select_profiles("video search", 2)
    assert chosen.profiles == ProfileSelector(PROFILES).by_rules("video search", 2).profiles
    assert chosen.reasoning.startswith("The model named made_up, which cannot serve")
