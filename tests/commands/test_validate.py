"""`validate-config`: what a file comes to, advice, and whether endpoints answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.commandline import ROOT, Result, overrides, run
from tests.loopback import Loopback


def test_it_says_what_a_configuration_comes_to(small: Callable[..., Result]) -> None:
    result = small("validate-config")
    assert result.code == 0
    assert "config.yaml: valid" in result.out
    assert "sources     1 files, 0 passed over" in result.out
    assert "wanted          2 qa (text)" in result.out
    assert "warning" not in result.out


def test_a_quota_that_needs_images_where_there_are_none_is_warned_of(
    small: Callable[..., Result],
) -> None:
    result = small(
        "validate-config", *overrides(generation__type_allocations__qa__multimodal_ratio=1)
    )
    assert result.code == 0
    assert "no document seems to hold an image, and 2 samples must need one" in result.out


def test_an_endpoint_that_answers_is_said_to(
    small: Callable[..., Result], loopback: Loopback
) -> None:
    at = overrides(
        models__endpoints="[{name: mine, model_name: m, base_url: '" + loopback.url + "'}]"
    )
    result = small("validate-config", "--online", *at)
    assert result.code == 0, result.err
    assert "mine        m, for question, vision, answer, curate, filter: answered in" in result.out
    assert loopback.count == 1


def test_an_endpoint_that_is_down_is_said_with_its_reason(small: Callable[..., Result]) -> None:
    at = overrides(
        models__endpoints="[{name: mine, model_name: m, base_url: 'http://127.0.0.1:9/v1'}]"
    )
    result = small("validate-config", "--online", *at)
    assert result.code == 2
    assert "unreachable: endpoint 'mine' (model 'm' at 127.0.0.1)" in result.out


def test_without_online_no_endpoint_is_asked(
    small: Callable[..., Result], loopback: Loopback
) -> None:
    at = overrides(
        models__endpoints="[{name: mine, model_name: m, base_url: '" + loopback.url + "'}]"
    )
    assert small("validate-config", *at).code == 0
    assert loopback.count == 0


def test_the_offline_model_needs_no_network(small: Callable[..., Result]) -> None:
    assert "offline needs no network" in small("validate-config", "--online").out


@pytest.mark.parametrize(
    ("config", "step"),
    [
        ("quickstart/config.yaml", "judge_sample"),
        ("rows.yaml", "judge_row"),
        ("conversations.yaml", "write_dialogue"),
        ("routing.yaml", "write_queries"),
    ],
)
def test_a_prompt_of_no_step_is_refused_with_the_nearest(config: str, step: str) -> None:
    prompt = ("--set", f"prompts.{step}x=Be brief.")
    result = run("validate-config", "--config", f"configs/{config}", *prompt, cwd=ROOT)
    assert result.code == 2
    assert f"prompts.{step}x: there is no such step. Did you mean '{step}'?" in result.err
