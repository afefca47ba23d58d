"""`ast.parse` that neither warns nor trips over other threads."""

from __future__ import annotations

import ast
import threading
import warnings

_ATTEMPTS = 20
_LOCK = threading.Lock()  # `catch_warnings` changes the whole process, so one parse at a time


def parse(source: str, name: str = "<unknown>") -> ast.Module:
    """The module's tree.

    CPython 3.11 and 3.12 count the depth of a tree in a place that all threads share and raise
    SystemError when two parse at once (https://github.com/python/cpython/issues/106905); callers
    elsewhere may parse in threads of their own, so a lock is not enough and we try again.

    Raises:
        SyntaxError: it is not Python.
        ValueError, RecursionError, MemoryError: it holds null bytes, or is nested too deeply.
    """
    for _ in range(_ATTEMPTS):
        try:
            with _LOCK, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(source, name)
        except SystemError:
            continue
    raise RecursionError(f"{name} could not be parsed while other threads were parsing, too")
