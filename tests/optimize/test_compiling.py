"""A compilation: stopped and resumed, forced, compared with what is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dspy
import pytest

from synth_dspy.errors import BudgetExceededError, EndpointError
from synth_dspy.optimize.purse import CompileBudget
from synth_dspy.programs.artefact import read_artefact
from synth_dspy.programs.promotions import CompiledPrograms
from tests.loopback import Loopback, Prompt, Reply
from tests.optimize.made import compiled, gold, in_use


def first_category(prompt: Prompt) -> Any:
    return {"category": "data"}


def test_the_artefact_says_what_it_was_made_of(tmp_path: Path) -> None:
    done = compiled(tmp_path, "labeled", mlflow_run="run-1")
    meta = read_artefact(Path(done.path)).meta
    assert (meta["recipe"], meta["step"], meta["optimizer"]) == ("assistant", "classify", "labeled")
    assert meta["gold_sha256"] == gold().sha256
    assert meta["model"] == "offline"
    assert meta["mlflow_run"] == "run-1"
    assert meta["baseline"]["heldout"] < meta["compiled"]["heldout"]
    assert meta["passed_gate"]


def test_the_summary_has_what_the_demo_promises(tmp_path: Path) -> None:
    summary = compiled(tmp_path, "labeled").summary()
    assert summary["n"] == 40
    assert summary["optimizer"] == "labeled"
    low, high = summary["interval"]
    assert low < summary["compiled"] - summary["baseline"] < high


def test_a_refused_program_is_kept_but_not_in_use(tmp_path: Path) -> None:
    done = compiled(tmp_path, "gepa")
    assert Path(done.path).is_file()
    assert in_use(tmp_path) == ""


def test_force_promotes_and_is_recorded(tmp_path: Path) -> None:
    done = compiled(tmp_path, "gepa", force=True)
    assert done.promoted
    assert done.why.startswith("promoted by force: it gains nothing")
    pointer = CompiledPrograms("assistant", [tmp_path / "compiled"]).pointer("classify")
    assert pointer.history[-1]["forced"] is True
    assert read_artefact(Path(done.path)).meta["passed_gate"] is False


def test_a_candidate_must_also_beat_the_program_in_use(tmp_path: Path) -> None:
    first = compiled(tmp_path, "labeled")
    second = compiled(tmp_path, "bootstrap")
    assert second.interval.low > 0
    assert not second.promoted
    assert "not the program in use" in second.why
    assert in_use(tmp_path) == first.artefact.sha256


def test_the_same_again_stays_in_use(tmp_path: Path) -> None:
    compiled(tmp_path, "labeled")
    again = compiled(tmp_path, "labeled")
    assert again.promoted
    assert again.calls == 0
    pointer = CompiledPrograms("assistant", [tmp_path / "compiled"]).pointer("classify")
    assert len(pointer.history) == 1


def test_a_refused_program_in_use_is_said_and_does_not_stand_in_the_way(tmp_path: Path) -> None:
    first = Path(compiled(tmp_path, "labeled", demos=4).path)
    first.write_bytes(first.read_bytes().replace(b"Choose the one", b"Choose any one"))
    said: list[str] = []
    assert compiled(tmp_path, "labeled", said=said).promoted
    assert any("was changed after it was written" in line for line in said)


def test_dspys_settings_are_as_before_afterwards(tmp_path: Path) -> None:
    before = (dspy.settings.lm, dspy.settings.max_errors, dspy.settings.trace)
    compiled(tmp_path, "bootstrap_random")
    assert (dspy.settings.lm, dspy.settings.max_errors, dspy.settings.trace) == before


def test_replies_that_cannot_be_read_score_nothing_and_end_nothing(tmp_path: Path) -> None:
    with Loopback(lambda prompt: Reply("I would rather not.")) as server:
        done = compiled(tmp_path, "bootstrap", url=server.url, of=gold(4, 4, 20))
    assert done.baseline.heldout.mean == 0
    assert "could not be used" in done.baseline.heldout.scores[0].feedback
    assert not done.promoted


def test_an_endpoint_that_dies_half_way_ends_it_and_the_next_run_pays_for_the_rest_only(
    tmp_path: Path,
) -> None:
    small = gold(8, 8, 20)
    with Loopback(first_category) as server:

        def dying(prompt: Prompt) -> Any:
            server.dead = server.count >= 35
            return first_category(prompt)

        server.answer = dying
        with pytest.raises(EndpointError):
            compiled(tmp_path, "bootstrap", url=server.url, of=small)
        assert server.dead
        server.dead, server.answer = False, first_category
        kept = server.count
        resumed = compiled(tmp_path, "bootstrap", url=server.url, of=small)
        again = server.count - kept
    with Loopback(first_category) as other:
        whole = compiled(tmp_path / "other", "bootstrap", url=other.url, of=small)
        assert again < other.count - 20
    assert resumed.artefact.sha256 == whole.artefact.sha256


def test_no_call_is_made_after_the_endpoint_died(tmp_path: Path) -> None:
    with Loopback(first_category) as server:
        server.dead = True
        with pytest.raises(EndpointError):
            compiled(tmp_path, "bootstrap_random", url=server.url, of=gold(8, 8, 20))
        # Four at a time, each tried twice: none of the other 24 validation and held-out examples.
        assert server.count <= 16


def test_the_budget_of_calls_is_not_passed_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    small, budget = gold(8, 8, 20), CompileBudget(max_calls=30)
    with Loopback(first_category) as server:
        with pytest.raises(BudgetExceededError, match=r"30 calls were made.*--budget-calls is 30"):
            compiled(tmp_path, "bootstrap", url=server.url, of=small, budget=budget)
        assert server.count == 30
        compiled(tmp_path, "bootstrap", url=server.url, of=small, budget=CompileBudget(500))
        resumed = server.count
    with Loopback(first_category) as other:
        compiled(tmp_path / "other", "bootstrap", url=other.url, of=small)
        assert resumed == other.count
