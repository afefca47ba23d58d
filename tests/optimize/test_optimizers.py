"""Every optimizer, with the offline model: worked examples help it, instructions cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_dspy.errors import SetupError, UserError
from synth_dspy.optimize import optimizers
from synth_dspy.optimize.gold import gold_step
from synth_dspy.optimize.optimizers import OPTIMIZERS, balanced, optimizer_named
from tests.optimize.made import compiled, gold, in_use


@pytest.mark.parametrize("name", ["labeled", "bootstrap", "bootstrap_random", "mipro"])
def test_worked_examples_win_on_held_out_gold(name: str, tmp_path: Path) -> None:
    done = compiled(tmp_path, name)
    assert done.interval.low > 0
    assert 0 < done.artefact.demos <= 8
    assert in_use(tmp_path) == done.artefact.sha256


@pytest.mark.parametrize(("name", "demos"), [("mipro", 0), ("gepa", 8), ("simba", 0)])
def test_instructions_alone_gain_nothing_and_the_gate_refuses(
    name: str, demos: int, tmp_path: Path
) -> None:
    done = compiled(tmp_path, name, demos=demos)
    assert done.interval.gain == 0
    assert done.artefact.demos == 0
    assert not done.promoted
    assert in_use(tmp_path) == ""


def test_simba_runs_to_its_end_with_examples(tmp_path: Path) -> None:
    assert compiled(tmp_path, "simba").artefact.demos <= 8


def test_standard_output_and_error_stay_free_of_what_optimizers_print(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("bootstrap_random", "mipro", "gepa"):
        compiled(tmp_path, name)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["labeled", "bootstrap_random", "mipro"])
def test_the_same_seed_makes_the_same_program(name: str, tmp_path: Path) -> None:
    one = compiled(tmp_path / "one", name)
    two = compiled(tmp_path / "two", name)
    assert one.artefact.sha256 == two.artefact.sha256


def test_candidates_are_told_with_their_validation_scores(tmp_path: Path) -> None:
    tried = compiled(tmp_path, "bootstrap_random").candidates
    assert len(tried) > 2
    assert all(0 <= candidate.score <= 1 for candidate in tried)
    assert max(candidate.score for candidate in tried) > 0.5


def test_every_beginning_of_the_examples_has_each_label() -> None:
    step = gold_step("classify")
    ordered = balanced(step, gold(train=12).examples("train"), seed=1)
    for length in (2, 4, 6):
        labels = [example.category for example in ordered[:length]]
        assert labels.count("data") == labels.count("network")


def test_the_order_of_examples_is_the_seeds() -> None:
    step, examples = gold_step("classify"), gold(train=12).examples("train")
    assert balanced(step, examples, 1) == balanced(step, examples, 1)
    assert balanced(step, examples, 1) != balanced(step, examples, 2)


def test_an_optimizer_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no optimizer 'miprov3'.*bootstrap, bootstrap_random"):
        optimizer_named("miprov3")


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"mipro needs optuna.*synth-dspy\[optimizers\]"):
        optimizer_named("mipro")


def test_every_optimizer_says_what_it_may_cost() -> None:
    estimates = {name: one.calls(64, 40) for name, one in OPTIMIZERS.items()}
    assert estimates["labeled"] == 0
    assert all(calls > 0 for name, calls in estimates.items() if name != "labeled")
