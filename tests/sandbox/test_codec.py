"""What crosses between the processes arrives with the same value and the very same types."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import math
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.image.codec import Unsupported, encode
from sandbox.image.decoding import decode, is_literal

plain = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
    | st.complex_numbers(allow_nan=False) | st.decimals(allow_nan=False) | st.fractions()
    | st.datetimes() | st.dates() | st.times() | st.timedeltas()
)  # fmt: skip
hashable = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
values = st.recursive(
    plain,
    lambda x: (
        st.lists(x) | st.lists(x).map(tuple) | st.dictionaries(hashable, x) | st.sets(hashable)
        | st.frozensets(hashable) | st.lists(x).map(collections.deque)
        | st.dictionaries(hashable, x).map(collections.OrderedDict)
    ),
    max_leaves=20,
)  # fmt: skip


def cross(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))))


def types_of(value: Any) -> Any:
    if isinstance(value, dict):
        return type(value), [(types_of(k), types_of(v)) for k, v in value.items()]
    if isinstance(value, (list, tuple, collections.deque)):
        return type(value), [types_of(x) for x in value]
    return type(value)


@given(values)
def test_a_value_arrives_equal_and_of_the_same_types(value: Any) -> None:
    arrived = cross(value)
    assert arrived == value
    assert types_of(arrived) == types_of(value)


@pytest.mark.parametrize(
    "value",
    [
        -0.0,
        10**400,
        -(2**53),
        range(1, 9, 2),
        slice(1, None),
        bytearray(b"x"),
        collections.Counter("abca"),
        collections.defaultdict(list, {1: [2]}),
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        decimal.Decimal("1.10"),
        fractions.Fraction(1, 3),
        {1: 2}.keys(),
        {1: 2}.items(),
        int,
        len,
        collections.OrderedDict,
        Ellipsis,
        "\ud800",
    ],
)
def test_rare_values_arrive_too(value: Any) -> None:
    arrived = cross(value)
    assert arrived == value
    assert repr(arrived) == repr(value)


def test_not_a_number_arrives() -> None:
    assert math.isnan(cross(float("nan")))


def test_a_named_tuple_arrives_as_one() -> None:
    point = collections.namedtuple("point", "x y")  # noqa: PYI024
    arrived = cross(point(1, [2]))
    assert (arrived.x, arrived.y, type(arrived).__name__) == (1, [2], "point")


def test_an_iterator_arrives_as_an_iterator() -> None:
    arrived = cross(x * 2 for x in range(3))
    assert next(arrived) == 0
    assert list(arrived) == [2, 4]


class Loud(int):
    """A subclass of a plain type."""


@pytest.mark.parametrize("value", [Loud(1), object(), mock.ANY, lambda: 1, Loud, [[Loud(1)]]])
def test_anything_of_ones_own_making_is_refused(value: Any) -> None:
    with pytest.raises(Unsupported):
        encode(value)


def test_an_object_equal_to_everything_is_known_as_one() -> None:
    with pytest.raises(Unsupported) as info:
        encode(mock.ANY)
    assert info.value.universal


def test_deep_nesting_and_long_iterators_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Unsupported, match="deeper"):
        encode(deep)
    with pytest.raises(Unsupported, match="more than"):
        encode(iter(list(range(20_000))))


@pytest.mark.parametrize(
    "form",
    [
        {"x": ["os.path", "nosuch"]},
        {"x": ["requests", "get"]},
        {"x": ["unittest.mock", "ANY"]},
        {"x": ["os", "environ"]},
        {"dd": [{"x": ["os", "_exit"]}, []]},
        {"nt": ["class", ["x"], [1]]},
        {"nope": 1},
        {"i": "zz"},
        {"a": 1, "b": 2},
        {"n": ["|O", [1], ""]},
    ],
)
def test_a_forged_form_is_refused(form: Any) -> None:
    with pytest.raises((ValueError, AttributeError, ImportError)):
        decode(form)


@given(values)
def test_what_is_called_a_literal_reads_back(value: Any) -> None:
    import ast

    if is_literal(value):
        again = ast.literal_eval(repr(value))
        assert again == value
        assert types_of(again) == types_of(value)
