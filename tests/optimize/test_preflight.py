"""What is wrong is said before the first call: gold, optimizer, endpoint, budget."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from synth_dspy.dataset.benchmarks import Benchmarks
from synth_dspy.errors import SetupError, UserError
from synth_dspy.optimize.gold import GoldItem, GoldSet, gold_step, write_gold
from synth_dspy.optimize.optimizers import optimizer_named
from synth_dspy.optimize.preflight import check_budget, check_endpoints, checked_gold
from synth_dspy.recipes.programs import unbound_program
from tests.loopback import Loopback
from tests.optimize.made import endpoint, gold

STEP = gold_step("classify")


def checked(tmp_path: Path, items: tuple[GoldItem, ...], optimizer: str = "labeled") -> GoldSet:
    path = tmp_path / "classify.jsonl"
    write_gold(path, items)
    return checked_gold(STEP, optimizer_named(optimizer), path, Benchmarks())


def test_good_gold_passes(tmp_path: Path) -> None:
    assert len(checked(tmp_path, gold().items).items) == 56


def test_gold_without_a_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gold set of classify cannot be used"):
        checked(tmp_path, ())


def test_gold_of_one_class_is_refused(tmp_path: Path) -> None:
    items = tuple(i for i in gold(20, 20, 60).items if i.labels["category"] == "data")
    with pytest.raises(UserError, match="cannot be used"):
        checked(tmp_path, items)


def test_a_label_that_is_no_category_is_refused_by_its_id(tmp_path: Path) -> None:
    first, *rest = gold().items
    wrong = replace(first, labels={"category": "cooking"})
    with pytest.raises(UserError, match=f"{first.id}.*cooking|cooking.*{first.id}"):
        checked(tmp_path, (wrong, *rest))


def test_the_same_example_in_two_splits_is_refused(tmp_path: Path) -> None:
    items = gold().items
    twin = replace(items[0], id="twin", split="heldout")
    with pytest.raises(UserError, match="twin"):
        checked(tmp_path, (*items, twin))


def test_gold_that_is_too_small_for_the_optimizer_is_refused(tmp_path: Path) -> None:
    few = replace(optimizer_named("simba"), least_train=9)
    path = tmp_path / "classify.jsonl"
    write_gold(path, gold(8).items)
    with pytest.raises(UserError, match=r"simba needs 9 examples to train on.*classify has 8"):
        checked_gold(STEP, few, path)


def test_an_endpoint_where_nobody_answers_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    with pytest.raises(SetupError, match=r"Endpoint 'one': nobody answers at 127\.0\.0\.1:\d+"):
        check_endpoints([endpoint(url)])


def test_to_knock_at_an_endpoint_asks_it_nothing() -> None:
    with Loopback() as server:
        check_endpoints([endpoint(server.url), endpoint(None)])
        assert server.count == 0


def test_a_budget_of_calls_too_small_to_evaluate_once_is_refused() -> None:
    with pytest.raises(UserError, match=r"--budget-calls 95 is too small.*48 examples each.* 96"):
        _budget(budget_calls=95)
    _budget(budget_calls=96)


def test_a_budget_of_money_too_small_to_evaluate_once_is_refused() -> None:
    with pytest.raises(UserError, match=r"--budget-usd 0.0001 is too small.*96 calls alone cost"):
        _budget(budget_usd=0.0001)
    _budget(budget_usd=100)


def test_a_budget_of_money_for_a_model_without_a_price_is_refused() -> None:
    with pytest.raises(UserError, match="nobody knows what the model 'test-model'"):
        _budget(budget_usd=1, priced=False)


def test_the_offline_model_costs_nothing() -> None:
    free = endpoint(None)
    check_budget(
        STEP, gold(), unbound_program("assistant"), free, budget_calls=None, budget_usd=0.0
    )


def _budget(
    *, budget_calls: int | None = None, budget_usd: float | None = None, priced: bool = True
) -> None:
    prices = {"price_per_million_input": 1.0, "price_per_million_output": 1.0} if priced else {}
    check_budget(
        STEP,
        gold(),
        unbound_program("assistant"),
        endpoint("http://127.0.0.1:1/v1", **prices),
        budget_calls=budget_calls,
        budget_usd=budget_usd,
    )
