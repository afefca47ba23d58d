"""What `codec.encode` wrote, as objects of the same types.

Nothing that is decoded can run code of the sender: no pickle, no class of the sender's, and only
classes and functions of the standard library by name.
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import fractions
import functools
import importlib
import keyword
import re
import types
from typing import Any

from .codec import is_standard


def decode(form: Any) -> Any:
    """The value that `encode` was given.

    Raises:
        ValueError: if `form` is not something that `encode` makes.
    """
    if form is None or isinstance(form, (bool, int, float, str)):
        return form
    if isinstance(form, list):
        return [decode(x) for x in form]
    if not isinstance(form, dict) or len(form) != 1:
        raise ValueError(f"not an encoded value: {str(form)[:80]!r}")
    ((tag, body),) = form.items()
    if tag == "d":
        return {decode(k): decode(v) for k, v in body}
    if tag in _BUILD:
        return _BUILD[tag](decode(x) for x in body)
    maker = _DECODERS.get(tag)
    if maker is None:
        raise ValueError(f"unknown tag {tag!r}")
    return maker(body)


_BUILD: dict[str, Any] = {
    "t": tuple,
    "s": set,
    "z": frozenset,
    "q": collections.deque,
}


def _decode_iterator(body: Any) -> Any:
    return (x for x in [decode(item) for item in body])


def _decode_view(body: Any) -> Any:
    kind, items = body[0], [decode(x) for x in body[1]]
    if kind == "keys":
        return dict.fromkeys(items).keys()
    return dict(items).items() if kind == "items" else dict(enumerate(items)).values()


def _decode_time(body: Any) -> Any:
    kind, *rest = body
    if kind == "timedelta":
        return datetime.timedelta(*rest)
    if kind == "timezone":
        return datetime.timezone(datetime.timedelta(seconds=rest[0]))
    if kind == "date":
        return datetime.date.fromisoformat(rest[0])
    cls: Any = datetime.datetime if kind == "datetime" else datetime.time
    return cls.fromisoformat(rest[0]).replace(fold=rest[1])


def _decode_namedtuple(body: Any) -> Any:
    name, fields, items = body
    names = [str(x) for x in (name, *fields)]
    if any(not x.isidentifier() or keyword.iskeyword(x) for x in names):
        raise ValueError(f"not a named tuple: {names!r}"[:200])
    return collections.namedtuple(names[0], names[1:])(*(decode(x) for x in items))  # noqa: PYI024


def _decode_reference(body: Any) -> Any:
    module, name = body
    if not (isinstance(module, str) and isinstance(name, str) and is_standard(module)):
        raise ValueError(f"not a name of the standard library: {body!r}"[:200])
    found = getattr(importlib.import_module(module), name)
    if isinstance(found, (type, types.FunctionType, types.BuiltinFunctionType)):
        return found
    if found is Ellipsis or found is NotImplemented:
        return found
    raise ValueError(f"neither a class nor a function: {module}.{name}")


def _decode_array(body: Any) -> Any:
    import numpy  # type: ignore[import-not-found, unused-ignore]  # only where the image has it

    dtype = numpy.dtype(body[0])
    if dtype.hasobject:
        raise ValueError("an array of objects")
    return numpy.frombuffer(base64.b64decode(body[2]), dtype=dtype).reshape(body[1]).copy()


def _decode_defaultdict(body: Any) -> Any:
    factory = None if body[0] is None else _decode_reference(body[0]["x"])
    if factory not in (None, int, float, str, list, set, dict, tuple, bool, collections.Counter):
        raise ValueError(f"a defaultdict of {body[0]!r}"[:200])
    return collections.defaultdict(factory, {decode(k): decode(v) for k, v in body[1]})


_DECODERS: dict[str, Any] = {
    "i": functools.partial(int, base=16),
    "f": float,
    "c": lambda body: complex(float(body[0]), float(body[1])),
    "b": base64.b64decode,
    "B": lambda body: bytearray(base64.b64decode(body)),
    "range": lambda body: range(*body),
    "slice": lambda body: slice(*body),
    "D": decimal.Decimal,
    "F": lambda body: fractions.Fraction(int(body[0], 16), int(body[1], 16)),
    "T": _decode_time,
    "C": lambda body: collections.Counter({decode(k): decode(v) for k, v in body}),
    "O": lambda body: collections.OrderedDict((decode(k), decode(v)) for k, v in body),
    "dd": _decode_defaultdict,
    "v": _decode_view,
    "it": _decode_iterator,
    "re": lambda body: re.compile(body[0], body[1] & ~re.DEBUG),
    "nt": _decode_namedtuple,
    "x": _decode_reference,
    "n": _decode_array,
    "g": lambda body: _decode_array(body)[()],
}

_LITERALS = (type(None), bool, int, float, complex, str, bytes)


def is_literal(value: Any, depth: int = 0) -> bool:
    """Whether `ast.literal_eval(repr(value))` gives an equal object of the same types."""
    kind = type(value)
    if kind in _LITERALS:
        if kind is complex:
            return is_literal(value.real) and is_literal(value.imag)
        return kind is not float or bool(value - value == 0)
    if depth > 50 or kind not in (list, tuple, set, dict):
        return False
    if kind is dict:
        items = [*value.keys(), *value.values()]
        return all(is_literal(x, depth + 1) for x in items)
    return all(is_literal(x, depth + 1) for x in value)
