"""The part of pytest that tests written for this project may use, where pytest is not installed.

`pytest.raises`, `approx`, `mark.parametrize`, `fixture` (function scope), `param`, `skip`, `fail`,
and the fixture `tmp_path`. A test that asks for more fails with a text that says what is missing.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
import pathlib
import re
import tempfile
import types
from collections.abc import Callable, Iterator
from typing import Any


class Raised:
    """What `with raises(...) as info` gives: `info.value`, `info.type`, `info.match`."""

    value: BaseException
    type: type[BaseException]

    def match(self, pattern: str) -> bool:
        """Whether the text contains `pattern`; an AssertionError if not."""
        if not re.search(pattern, str(self.value)):
            raise AssertionError(f"{str(self.value)!r} does not match {pattern!r}")
        return True


@contextlib.contextmanager
def _raising(expected: Any, match: str | None) -> Iterator[Raised]:
    info = Raised()
    try:
        yield info
    except expected as error:
        info.value, info.type = error, type(error)
        if match is not None:
            info.match(match)
    else:
        names = expected if isinstance(expected, tuple) else (expected,)
        raise AssertionError(f"did not raise {' or '.join(e.__name__ for e in names)}")


def raises(expected: Any, *args: Any, match: str | None = None, **kwargs: Any) -> Any:
    """As `pytest.raises`: a context manager, or a call when a function is given."""
    if not args:
        return _raising(expected, match)
    with _raising(expected, match) as info:
        args[0](*args[1:], **kwargs)
    return info


class approx:  # noqa: N801 - pytest's name
    """As `pytest.approx`, for numbers and for sequences and mappings of numbers."""

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None) -> None:  # noqa: A002
        self.expected = expected
        self.rel = 1e-6 if rel is None and abs is None else rel or 0.0
        self.abs = 1e-12 if abs is None else abs

    def __eq__(self, actual: object) -> bool:
        return self._close(actual, self.expected)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"approx({self.expected!r})"

    def _close(self, actual: Any, expected: Any) -> bool:
        if isinstance(expected, dict):
            same = isinstance(actual, dict) and actual.keys() == expected.keys()
            return same and all(self._close(actual[k], v) for k, v in expected.items())
        if isinstance(expected, (list, tuple)) or hasattr(expected, "__array__"):
            pairs = list(actual), list(expected)
            return len(pairs[0]) == len(pairs[1]) and all(map(self._close, *pairs))
        if isinstance(expected, complex) or isinstance(actual, complex):
            return bool(abs(actual - expected) <= max(self.rel * abs(expected), self.abs))
        if isinstance(expected, (bool, str, type(None))):
            return bool(actual == expected)
        return math.isclose(actual, expected, rel_tol=self.rel, abs_tol=self.abs)


class _Mark:
    """`mark.parametrize` works; other marks leave the test as it is; `skip` and `xfail` do not."""

    @staticmethod
    def parametrize(names: str | list[str], values: Any, **_: Any) -> Callable[[Any], Any]:
        keys = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)

        def mark(function: Any) -> Any:
            rows = [v if len(keys) > 1 else (v,) for v in map(_plain_param, values)]
            table = [dict(zip(keys, row, strict=True)) for row in rows]
            function._sandbox_rows = [*getattr(function, "_sandbox_rows", []), table]
            return function

        return mark

    def __getattr__(self, name: str) -> Any:
        if name in ("skip", "skipif", "xfail"):
            raise RuntimeError(f"pytest.mark.{name}: a test that may be skipped shows nothing")
        return lambda *args, **_: args[0] if args and callable(args[0]) else lambda f: f


def _plain_param(value: Any) -> Any:
    return value.values if isinstance(value, _Param) else value


class _Param:
    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values: Any = values if len(values) > 1 else values[0]


def fixture(function: Any = None, **_: Any) -> Any:
    """Marks a function as a fixture of function scope."""
    if function is None:
        return fixture
    function._sandbox_fixture = True
    return function


def _fail(reason: str = "") -> None:
    raise AssertionError(reason or "pytest.fail was called")


def _skip(reason: str = "", **_: Any) -> None:
    raise RuntimeError(f"the test was skipped: {reason}")


def make_pytest() -> types.ModuleType:
    """The module that `import pytest` finds in the box."""
    module = types.ModuleType("pytest")
    parts = {"raises": raises, "approx": approx, "mark": _Mark(), "fixture": fixture}
    parts |= {"fail": _fail, "skip": _skip, "param": lambda *v, **_: _Param(v)}
    parts["main"] = lambda *_: None
    module.__dict__.update(parts)
    return module


def bound(module: types.ModuleType, owner: type | None, name: str) -> Callable[[], Any]:
    """A call of test `name` without arguments: parameter rows and fixtures filled in.

    A test in a plain class gets a fresh instance, and its `setup_method` is called.
    """

    def call() -> Any:
        plain = getattr(owner, name) if owner else vars(module)[name]
        tables = getattr(plain, "_sandbox_rows", [])
        if any(not table for table in tables):
            raise RuntimeError("parametrize has no values, so nothing is tested")
        for rows in itertools.product(*tables):
            given = {key: value for row in rows for key, value in row.items()}
            with contextlib.ExitStack() as stack:
                target = plain
                if owner:
                    instance = owner()
                    target = getattr(instance, name)
                    for hook in ("setup_method", "teardown_method"):
                        if hasattr(instance, hook):
                            _hook(stack, getattr(instance, hook), hook, target)
                outcome = target(**_arguments(target, given, module, owner, stack))
                if inspect.iscoroutine(outcome):
                    import asyncio

                    asyncio.run(outcome)

    return call


def _hook(stack: contextlib.ExitStack, hook: Any, name: str, method: Any) -> None:
    args = [method] if inspect.signature(hook).parameters else []
    if name == "setup_method":
        hook(*args)
    else:
        stack.callback(hook, *args)


def _arguments(
    target: Any, given: dict[str, Any], module: types.ModuleType, owner: type | None, stack: Any
) -> dict[str, Any]:
    arguments = dict(given)
    for key, parameter in inspect.signature(target).parameters.items():
        if key not in arguments and parameter.default is inspect.Parameter.empty:
            arguments[key] = _fixture_value(key, module, owner, stack)
    return arguments


def _fixture_value(key: str, module: types.ModuleType, owner: type | None, stack: Any) -> Any:
    if key == "tmp_path":
        return pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    maker: Any = vars(module).get(key)
    if owner is not None and hasattr(owner, key):
        maker = getattr(owner(), key)
    if not getattr(maker, "_sandbox_fixture", False):
        raise TypeError(f"the test asks for {key!r}, which is neither a parameter nor a fixture")
    made = maker(**_arguments(maker, {}, module, owner, stack))
    if not inspect.isgenerator(made):
        return made
    stack.callback(next, made, None)
    return next(made)
