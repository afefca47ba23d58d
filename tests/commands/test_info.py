"""`info`: what differs from the defaults, one step's prompt, every setting."""

from __future__ import annotations

from collections.abc import Callable

from synth_dspy.commands.informing import settings_table
from synth_dspy.config.settings import describe_settings
from tests.commandline import Result


def test_it_shows_the_settings_that_differ_from_their_defaults(
    small: Callable[..., Result],
) -> None:
    text = small("info", "--set", "dataset.secrets=drop", "--set", "generation.max_mutants=7").out
    assert "setting     dataset.secrets = drop\n" in text
    assert "setting     generation.max_mutants = 7\n" in text
    assert "seed = " not in text


def test_it_never_shows_a_key(small: Callable[..., Result]) -> None:
    text = small(
        "info", "--set",
        "models.endpoints=[{name: a, model_name: m, base_url: 'http://x/v1', api_key: sk-1234}]",
    ).out  # fmt: skip
    assert "api_key = ***" in text
    assert "sk-1234" not in text


def test_one_steps_prompt_is_printed(small: Callable[..., Result]) -> None:
    text = small("info", "--step", "judge_sample").out
    assert "[judge_sample] curate offline" in text
    assert "[answer_question]" not in text


def test_a_step_that_is_not_there_is_answered_with_the_nearest(
    small: Callable[..., Result],
) -> None:
    result = small("info", "--step", "judge_sampel")
    assert result.code == 2
    assert "there is no such step. Did you mean 'judge_sample'?" in result.err


def test_every_setting_is_in_the_table_with_its_description(small: Callable[..., Result]) -> None:
    printed = small("info", "--settings").out.splitlines()
    assert printed == list(settings_table())
    for setting in describe_settings():
        assert setting.description, f"{setting.key} has no description"
        assert any(f"| `{setting.key}` |" in line for line in printed)
