"""Draws: within one of what was asked, decided by the seed, and matched to who may do what."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.stratified import drawn, matched, quotas

WEIGHTS = st.dictionaries(
    st.sampled_from("abcdefgh"), st.floats(0, 10), min_size=1, max_size=8
).filter(lambda weights: sum(weights.values()) > 0.01)


@given(WEIGHTS, st.integers(0, 500))
def test_every_quota_is_within_one_of_its_share_and_they_sum_up(
    weights: dict[str, float], count: int
) -> None:
    got, total = quotas(weights, count), sum(weights.values())
    assert sum(got.values()) == count
    assert all(abs(got[name] - count * weight / total) < 1 for name, weight in weights.items())


@given(WEIGHTS, st.integers(0, 200))
def test_what_is_drawn_is_what_the_quotas_say(weights: dict[str, float], count: int) -> None:
    got = Counter(drawn(weights, count, seed="s"))
    assert got == +Counter(quotas(weights, count))


def test_the_seed_decides_the_order() -> None:
    weights = {"a": 1.0, "b": 1.0, "c": 1.0}
    assert drawn(weights, 60, seed="1") == drawn(weights, 60, seed="1")
    assert drawn(weights, 60, seed="1") != drawn(weights, 60, seed="2")


def test_weights_that_sum_to_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to 0"):
        quotas({"a": 0.0}, 3)


KINDS = st.lists(st.sampled_from("xyz"), max_size=90)
ALLOWED = st.fixed_dictionaries(
    {kind: st.lists(st.sampled_from("abcd"), min_size=1, unique=True) for kind in "xyz"}
)


@given(KINDS, ALLOWED)
def test_nobody_is_given_a_kind_that_is_not_allowed(
    kinds: list[str], allowed: dict[str, list[str]]
) -> None:
    got = matched(kinds, allowed, dict.fromkeys("abcd", 1.0), seed="s")
    assert len(got) == len(kinds)
    assert all(name in allowed[kind] for name, kind in zip(got, kinds, strict=True))


@given(KINDS, WEIGHTS)
def test_where_everybody_may_do_everything_quotas_are_met(
    kinds: list[str], weights: dict[str, float]
) -> None:
    allowed = dict.fromkeys("xyz", tuple(weights))
    assert Counter(matched(kinds, allowed, weights, seed="s")) == +Counter(
        quotas(weights, len(kinds))
    )


def test_quotas_are_met_where_only_one_assignment_meets_them() -> None:
    kinds = ["x"] * 10 + ["y"] * 10
    allowed = {"x": ("a", "b"), "y": ("b", "c")}
    got = Counter(matched(kinds, allowed, {"a": 8.0, "b": 4.0, "c": 8.0}, seed="s"))
    assert got == {"a": 8, "b": 4, "c": 8}


def test_what_no_assignment_meets_is_as_near_as_can_be() -> None:
    got = Counter(matched(["x"] * 9 + ["y"], {"x": ("a",), "y": ("a", "b")}, {"a": 1.0, "b": 1.0},
                          seed="s"))  # fmt: skip
    assert got == {"a": 9, "b": 1}
