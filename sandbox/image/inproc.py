"""Solution and test in one process: weaker than `split`, and it says so.

Looks for what was changed under the tests (standard modules, tracing, threads and processes left
behind) and runs canaries that have to fail. The nonce and the tests are read only after the
solution was loaded.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import linecache
import math
import operator
import os
import re
import sys
import traceback
import types
import unittest
from collections.abc import Mapping
from typing import Any

from . import asserts, codec, collect, decoding, feedback, fixtures, pipes, watch

Snapshot = dict[str, dict[str, Any]]
Versions = dict[str, tuple[dict[str, Any], int]]  # the names themselves, and their counter

_WATCHED = (
    "builtins", "unittest", "unittest.case", "unittest.suite", "unittest.result", "math",
    "operator", "json", "os", "sys", "types", "traceback", "linecache", "re", "numpy",
    "numpy.testing", "numpy.linalg", "pytest",
)  # fmt: skip
# What tests compute with. They are loaded before any job, so that no solution's finder is asked for
# them. Not `time` and `warnings`: those change as they are used.
_HELPERS = (
    "abc", "base64", "bisect", "calendar", "cmath", "collections", "collections.abc", "contextlib",
    "copy", "csv", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "hashlib", "heapq", "inspect", "io", "itertools", "numbers", "pathlib", "random", "statistics",
    "string", "struct", "tempfile", "textwrap", "typing",
)  # fmt: skip
_FINDERS = "sys.meta_path"
_OWN = (asserts, codec, collect, decoding, feedback, fixtures, pipes, watch)
_COUNTER = ctypes.c_uint64
_ARRAYS = ("numpy", "numpy.linalg", "numpy.testing")
_CLASSES: tuple[type, ...] = (unittest.TestCase, unittest.TestResult, unittest.TestSuite)
_MAY_CHANGE = {
    ("sys", "last_type"), ("sys", "last_value"), ("sys", "last_traceback"), ("sys", "last_exc"),
    ("sys", "stdout"), ("sys", "stderr"), ("sys", "stdin"), ("sys", "path"), ("builtins", "_"),
    ("os", "environ"), ("tempfile", "tempdir"), ("tempfile", "_name_sequence"),
}  # fmt: skip

_CANARIES = """
import unittest, math
class Canary(unittest.TestCase):
    def test_equal(self): self.assertEqual(1, 2)
    def test_true(self): self.assertTrue(False)
    def test_raises(self):
        with self.assertRaises(ValueError): pass
def canary_assert(): assert 1 == 2
def canary_close(): assert math.isclose(1.0, 2.0)
def canary_all(): assert all([1, 0]) and len([1]) == 2
"""


def snapshot() -> Snapshot:
    """Every name of the modules that tests rely on."""
    names = (*_WATCHED, *_HELPERS)
    found = {name: dict(vars(sys.modules[name])) for name in names if name in sys.modules}
    found[_FINDERS] = _finders()
    found |= {module.__name__: dict(vars(module)) for module in _OWN}
    found |= {f"class {cls.__name__}": dict(vars(cls)) for cls in _CLASSES}
    return found


def _finders() -> dict[str, Any]:
    """Who is asked for a module, by turn. Honest code appends to them; who is put first decides."""
    return {str(turn): finder for turn, finder in enumerate(sys.meta_path)}


def load_before(source: str) -> Snapshot:
    """Loads what tests compare arrays with before a solution that names numpy can change it."""
    missing = [name for name in _ARRAYS if name not in sys.modules]
    if "numpy" not in source or not missing:
        return {}
    try:
        for name in missing:
            importlib.import_module(name)
    except ImportError:  # the solution will say so itself
        return {}
    return {name: dict(vars(sys.modules[name])) for name in _ARRAYS}


def changed(before: Snapshot, versions: Versions) -> list[str]:
    """What is no longer the object it was, as `module.name`; at most ten.

    Args:
        versions: of the names at the time of `before`; those of the same version need not be looked
            at. Looking touches every object, whose pages this fork then copies.
    """
    classes = {f"class {cls.__name__}": cls for cls in _CLASSES}
    found = []
    for name, names in before.items():
        if name in classes:
            now: Mapping[str, Any] = vars(classes[name])
        elif name == _FINDERS:
            now = _finders()
        else:
            now = vars(sys.modules[name]) if name in sys.modules else {}
        if name in versions:
            then, version = versions[name]
            if version == version_of(then) and (name in classes or then is now):
                continue
        for key, value in names.items():
            if (name, key) not in _MAY_CHANGE and now.get(key) is not value:
                found.append(f"{name}.{key}")
    if sys.gettrace() or sys.getprofile():
        found.append("sys.settrace")
    return found[:10]


def version_of(names: dict[str, Any]) -> int:
    """CPython's own counter of a dict's changes (PEP 509)."""
    return _COUNTER.from_address(id(names) + 24).value


def versions_of(before: Snapshot) -> Versions:
    """The counters of a snapshot; none where this Python has no such counter."""
    probe = {"a": 1}
    seen = [version_of(probe)]
    for _ in range(2):
        probe["a"] += 1
        seen.append(version_of(probe))
    if len(set(seen)) < 3 or version_of(probe) != seen[-1]:
        return {}
    found = {name: vars(sys.modules[name]) for name in before if name in sys.modules}
    # A class shows its names through a proxy; what counts the changes is the dict behind it.
    found |= {f"class {cls.__name__}": gc.get_referents(vars(cls))[0] for cls in _CLASSES}
    return {name: (names, version_of(names)) for name, names in found.items()}


def left_behind() -> list[str]:
    """Threads and child processes that the solution started while it was loaded."""
    found = []
    if len(os.listdir("/proc/self/task")) > 1:
        found.append("a thread started at import")
    try:
        os.waitpid(-1, os.WNOHANG)
        found.append("a process started at import")
    except ChildProcessError:
        pass
    return found


def canaries_that_passed(code: types.CodeType) -> list[str]:
    """Names of the wrong assertions that did not fail; empty when all is well."""
    scope: dict[str, Any] = {"__name__": "canary"}
    exec(code, scope)
    passed = []
    for name in ("canary_assert", "canary_close", "canary_all"):
        try:
            scope[name]()
            passed.append(name)
        except AssertionError:
            pass
    for name in ("test_equal", "test_true", "test_raises"):
        outcome = _Count()
        scope["Canary"](name).run(outcome)
        if outcome.failed != 1:
            passed.append(name)
    return passed


class _Count(unittest.TestResult):
    """Counts failures; writing their tracebacks down would take longer than all the canaries."""

    failed = 0

    def addFailure(self, _test: Any, _err: Any) -> None:  # noqa: N802 - unittest's naming
        self.failed += 1


class Prepared:
    """Made once in the worker, before any job: the state that honest code leaves alone."""

    def __init__(self) -> None:
        self.canaries = compile(_CANARIES, "canary.py", "exec")
        for name in _HELPERS:
            importlib.import_module(name)
        sys.modules["pytest"] = fixtures.make_pytest()
        unittest.main = _no_main  # type: ignore[assignment]  # tests often end with it
        canaries_that_passed(self.canaries)  # loads what the first run would load
        _warm_up()
        self.before = snapshot()
        self.versions = versions_of(self.before)


def _no_main(*_: object, **__: object) -> None:
    """What `unittest.main()` and `pytest.main()` do here: the tests are found without them."""


def _warm_up() -> None:
    solution = collect.load("solution", "def f(x):\n    return 1 / x\n")
    exec("def f(x):\n    return 1 / x\n", solution.__dict__)
    test = "from solution import f\ndef test_f():\n    assert f(0) == 1\nassert f(1) == 1\n"
    collect.run(test, solution, {})
    for name in ("solution", "test"):
        sys.modules.pop(name, None)
        linecache.cache.pop(f"{name}.py", None)
    for module in (math, operator, re, json, traceback):
        repr(module)


def main(prepared: Prepared, task_fd: int, sizes: tuple[int, int], record_fd: int) -> None:
    """Loads the solution, then reads and runs the test, then writes the one record."""
    write, leave, names_changed, behind = pipes.write_record, os._exit, changed, left_behind
    nonce: str | None = None
    phase = "solution"
    try:
        source = pipes.read_exactly(task_fd, sizes[0]).decode()
        before = {**prepared.before, **load_before(source)}
        solution = collect.load("solution", source)
        watch.install(solution, record_fd)
        exec(compile(source, "solution.py", "exec", dont_inherit=True), solution.__dict__)
        phase = "test"
        tampered = [*names_changed(before, prepared.versions), *behind()]
        config, test = pipes.read_task(task_fd, sizes[1])
        nonce = config["nonce"]
        results = collect.run(test, solution, config)
        tampered += names_changed(before, prepared.versions)
        passed = canaries_that_passed(prepared.canaries)
        record = {"nonce": nonce, "results": results, "tampered": tampered, "canaries": passed}
    except BaseException as error:
        record = failure(phase, error)
        if phase == "solution":
            config, _ = pipes.read_task(task_fd, sizes[1])
            nonce = config["nonce"]
        record["nonce"] = nonce
    flush()
    write(record_fd, record)
    leave(0)


def failure(phase: str, error: BaseException) -> dict[str, Any]:
    """The record of a job whose tests could not run."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return {
        "phase": phase,
        "type": "Tampered" if isinstance(error, asserts.Tampered) else _builtin_name(error),
        "missing": str(missing or "")[:100],
        "message": feedback.describe(error),
    }


def _builtin_name(error: BaseException) -> str:
    classes = type(error).__mro__
    return next((c.__name__ for c in classes if c.__module__ == "builtins"), "Exception")


def flush() -> None:
    """Hands on what was printed; a broken stream is the solution's own affair."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            continue
