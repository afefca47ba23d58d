"""Hiding keys in texts and errors."""

from __future__ import annotations

import pytest
from dspy import lm15

from synth_dspy.lm.keys import Keys, keys_in_environment

KEY = "sk-0123456789abcdef"


def test_a_key_that_begins_with_another_is_hidden_whole() -> None:
    keys = Keys([KEY, f"{KEY}-longer"])
    assert keys.hide(f"{KEY}-longer, {KEY}") == "***, ***"


@pytest.mark.parametrize("word", ["", "  ", "EMPTY", "not-needed"])
def test_a_word_in_place_of_a_key_hides_nothing(word: str) -> None:
    assert Keys([word]).hide("An EMPTY key is not-needed.") == "An EMPTY key is not-needed."


def test_an_error_is_rewritten_in_every_form_it_shows() -> None:
    error = lm15.ServerError(f"bad {KEY}", status=500)
    Keys([KEY]).hide_in(error)
    assert (error.message, str(error), error.status) == ("bad ***", "bad *** (HTTP 500)", 500)
    assert KEY not in repr(error)


def test_a_servers_short_key_is_hidden_in_errors_and_in_no_reply() -> None:
    error = lm15.ServerError("bad hunter-2")
    keys = Keys(["hunter-2"])
    keys.hide_in(error)
    assert (error.message, keys.hide("a hunter-2 plane")) == ("bad ***", "a hunter-2 plane")


def test_keys_show_themselves_to_nobody() -> None:
    assert repr(Keys([KEY])) == "Keys(1 hidden)"


def test_the_environments_keys_are_those_that_clients_look_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANY_API_KEY", KEY)
    monkeypatch.setenv("EDITOR_OF_TEXTS", "a-long-editor-name")
    assert keys_in_environment().hide(f"{KEY} a-long-editor-name") == "*** a-long-editor-name"
