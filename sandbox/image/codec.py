"""Values as JSON, exactly: what crosses between solution and test, and to the host.

Enters: plain data of the standard types (and numpy arrays where numpy is loaded). Leaves: what
`decoding.decode` makes the very same objects of. Anything else is `Unsupported`, by its exact type.
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import fractions
import re
import sys
import types
from typing import Any

MAX_DEPTH = 100
MAX_ITEMS = 10_000  # drawn from an iterator
_SMALL_INT = 1 << 53

_ITERABLES: tuple[Any, ...] = ([], (), "", {}, set(), range(0), b"")
_LAZY = {map, filter, zip, enumerate, reversed, types.GeneratorType}
_ITERATORS = tuple({type(iter(x)) for x in _ITERABLES} | _LAZY)
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_PATTERN = type(re.compile(""))


class Unsupported(Exception):  # noqa: N818 - not an error of the code that runs
    """A value that is not plain data; `str(error)` is its `module.type`.

    Attributes:
        universal: the value claims to be equal to an object that nobody has seen.
    """

    def __init__(self, what: str, universal: bool = False) -> None:
        super().__init__(what)
        self.universal = universal


def encode(value: Any, depth: int = 0) -> Any:
    """JSON-ready form of `value`.

    Raises:
        Unsupported: for any object whose exact type is not plain data, and for deep nesting.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if -_SMALL_INT < value < _SMALL_INT else {"i": hex(value)}
    if kind is float:
        return value if value - value == 0 else {"f": repr(value)}
    if depth > MAX_DEPTH:
        raise Unsupported(f"a value nested deeper than {MAX_DEPTH}")
    deeper = depth + 1
    if kind is list:
        return [encode(x, deeper) for x in value]
    if kind is dict:
        return {"d": [[encode(k, deeper), encode(v, deeper)] for k, v in value.items()]}
    tag = _SEQUENCES.get(kind)
    if tag is not None:
        return {tag: [encode(x, deeper) for x in value]}
    return _encode_rare(value, kind, deeper)


_SEQUENCES: dict[type, str] = {tuple: "t", set: "s", frozenset: "z", collections.deque: "q"}


def _encode_rare(value: Any, kind: type, depth: int) -> Any:
    if kind is complex:
        return {"c": [repr(value.real), repr(value.imag)]}
    if kind is bytes or kind is bytearray:
        return {"b" if kind is bytes else "B": base64.b64encode(value).decode()}
    if kind is range or kind is slice:
        return {kind.__name__: [value.start, value.stop, value.step]}
    if kind is decimal.Decimal:
        return {"D": str(value)}
    if kind is fractions.Fraction:
        return {"F": [hex(value.numerator), hex(value.denominator)]}
    if kind in _TIMES:
        return {"T": _TIMES[kind](value)}
    if kind is collections.Counter or kind is collections.OrderedDict:
        return {"C" if kind is collections.Counter else "O": _encode_items(value, depth)}
    if kind is collections.defaultdict:
        factory = value.default_factory
        made_by = None if factory is None else _encode_reference(factory)
        return {"dd": [made_by, _encode_items(value, depth)]}
    if kind in _VIEWS:
        return {"v": [_VIEWS[kind], [encode(x, depth) for x in list(value)]]}
    if kind in _ITERATORS:
        return {"it": _drain(value, depth)}
    if kind is _PATTERN and isinstance(value.pattern, str):
        return {"re": [value.pattern, value.flags]}
    if issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple):
        names = [str(name) for name in value._fields]
        return {"nt": [kind.__name__, names, [encode(x, depth) for x in tuple.__iter__(value)]]}
    if kind in (type, types.BuiltinFunctionType, types.FunctionType):
        return _encode_reference(value)
    if value is Ellipsis or value is NotImplemented:
        return {"x": ["builtins", "Ellipsis" if value is Ellipsis else "NotImplemented"]}
    array = _encode_array(value, kind)
    if array is not None:
        return array
    raise Unsupported(f"{kind.__module__}.{kind.__qualname__}", universal=is_universal(value))


def _encode_items(value: Any, depth: int) -> list[Any]:
    return [[encode(k, depth), encode(v, depth)] for k, v in value.items()]


def is_universal(value: Any) -> bool:
    """Whether `value` says that it equals an object made this instant (as `mock.ANY` does)."""
    try:
        return bool(value == object()) or not bool(value != object())
    except Exception:
        return False


def _drain(value: Any, depth: int) -> list[Any]:
    items: list[Any] = []
    for item in value:
        if len(items) == MAX_ITEMS:
            raise Unsupported(f"an iterator of more than {MAX_ITEMS} items")
        items.append(encode(item, depth))
    return items


def is_importable(value: Any) -> bool:
    """Whether a class or function is the standard library's own, to be had by name."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(module, str) or not is_standard(module) or "." in name:
        return False
    return getattr(sys.modules.get(module), name, None) is value


def _encode_reference(value: Any) -> Any:
    if is_importable(value):
        return {"x": [value.__module__, value.__qualname__]}
    raise Unsupported(f"{type(value).__module__}.{type(value).__qualname__}")


def is_standard(module: str) -> bool:
    """Whether a module is the standard library's, and has no object that equals everything."""
    return module.partition(".")[0] in sys.stdlib_module_names and module != "unittest.mock"


def _encode_array(value: Any, kind: type) -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is None or kind.__module__ != "numpy":
        return None
    if kind is not numpy.ndarray and getattr(numpy, kind.__name__, None) is not kind:
        return None
    if kind is not numpy.ndarray and not issubclass(kind, numpy.generic):
        return None
    array = numpy.asarray(value)
    if array.dtype.hasobject or array.dtype.names is not None:
        raise Unsupported(f"numpy.{kind.__name__} of {array.dtype}")
    data = base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
    return {"n" if kind is numpy.ndarray else "g": [array.dtype.str, list(array.shape), data]}


def _encode_date(value: Any) -> list[Any]:
    return ["date", value.isoformat()]


def _encode_clock(value: Any) -> list[Any]:
    if value.tzinfo is not None and type(value.tzinfo) is not datetime.timezone:
        raise Unsupported(f"{type(value.tzinfo).__module__}.{type(value.tzinfo).__qualname__}")
    return [type(value).__name__, value.isoformat(), value.fold]


def _encode_delta(value: Any) -> list[Any]:
    return ["timedelta", value.days, value.seconds, value.microseconds]


def _encode_zone(value: Any) -> list[Any]:
    return ["timezone", value.utcoffset(None).total_seconds()]


_TIMES: dict[type, Any] = {
    datetime.date: _encode_date,
    datetime.datetime: _encode_clock,
    datetime.time: _encode_clock,
    datetime.timedelta: _encode_delta,
    datetime.timezone: _encode_zone,
}
