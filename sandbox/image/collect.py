"""Finds a test's tests and runs them one by one.

Enters: the test's source, and a solution (the real module, or its proxies). Leaves: a result for
each test: `[id, "pass" | "fail" | "error", message]`. Ids are those that `static.expected` counts
on the host, from the source alone.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import doctest
import inspect
import linecache
import sys
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from .asserts import NAME, Checks, Tampered, assert_id, refuse_universal, rewrite
from .feedback import MAX_TEXT, describe, line_of_test

Result = list[str]


def load(name: str, source: str) -> types.ModuleType:
    """An empty module `name` whose source tracebacks can show."""
    module = types.ModuleType(name)
    module.__file__ = filename = f"{name}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    sys.modules[name] = module
    return module


def run(source: str, solution: types.ModuleType, config: dict[str, Any]) -> list[Result]:
    """Runs every test of `source`; a failing one does not stop the others."""
    module = load("test", source)
    entry = config.get("entry_point") or ""
    hidden = vars(builtins)
    shared = {k: v for k, v in vars(solution).items() if not k.startswith("__")}
    kept = {k: v for k, v in shared.items() if k == entry or k not in hidden}
    module.__dict__.update(kept)
    if config.get("style") == "doctest":
        return _run_doctest(source, module)
    checks = Checks()
    module.__dict__[NAME] = checks
    try:
        tree = ast.parse(source, "test.py")
        code = compile(rewrite(tree), "test.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [["test", "error", f"the test is not valid Python: {describe(error)}"]]
    results: list[Result] = []
    if not _run_module(code, tree, module, checks, results):
        return results
    if config.get("module") and checks.seen > len(checks.passed):
        results.append(["module", "pass", ""])
    for name, call in _tests(module, entry):
        results.append([name, *attempt(call)])
    return results


def _run_module(
    code: types.CodeType,
    tree: ast.Module,
    module: types.ModuleType,
    checks: Checks,
    results: list[Result],
) -> bool:
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        _refuse(error)
        line, _ = line_of_test(error.__traceback__)
        names = [assert_id(n) for n in tree.body if isinstance(n, ast.Assert) and _spans(n, line)]
        name = next((x for x in names if x not in checks.passed), "module")
        results += [[x, "pass", ""] for x in checks.passed]
        kind = "fail" if isinstance(error, AssertionError) else "error"
        results.append([name, kind, describe(error)])
        return False
    results += [[x, "pass", ""] for x in checks.passed]
    return True


def _spans(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _refuse(error: BaseException) -> None:
    if isinstance(error, (Tampered, SolutionGone)):
        raise error


class SolutionGone(BaseException):
    """The solution's process ended, or what it says cannot be read."""


def attempt(call: Callable[[], object]) -> tuple[str, str]:
    """Status and message of one test."""
    try:
        outcome = call()
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    except BaseException as error:
        _refuse(error)
        kind = "fail" if isinstance(error, AssertionError) else "error"
        return kind, describe(error)
    return "pass", ""


def _tests(module: types.ModuleType, entry: str) -> Iterator[tuple[str, Callable[[], object]]]:
    from .fixtures import bound

    own = [(k, v) for k, v in vars(module).items() if getattr(v, "__module__", "") == "test"]
    for name, value in own:
        if isinstance(value, type) and issubclass(value, unittest.TestCase):
            for method in unittest.defaultTestLoader.getTestCaseNames(value):
                yield f"{name}.{method}", _unit(value, method)
        elif isinstance(value, type) and name.startswith("Test"):
            for method in [m for m in dir(value) if m.startswith("test")]:
                yield f"{name}.{method}", bound(module, value, method)
        elif name.startswith("test") and isinstance(value, types.FunctionType):
            yield name, bound(module, None, name)
    check = vars(module).get("check")
    if entry and isinstance(check, types.FunctionType) and check.__module__ == "test":
        yield "check", lambda: check(_candidate(entry))


def _candidate(entry: str) -> Any:
    found: Any = sys.modules["solution"]
    for part in entry.split("."):
        if not hasattr(found, part):
            raise AttributeError(f"the solution does not define {entry!r}")
        found = getattr(found, part)
    return found


class _Outcome(unittest.TestResult):
    """Keeps the first thing that was not a success."""

    def __init__(self) -> None:
        super().__init__()
        self.problem: BaseException | None = None

    def _keep(self, error: Any) -> None:
        if self.problem is None and error is not None:
            self.problem = error[1]

    def addFailure(self, _test: Any, err: Any) -> None:  # noqa: N802 - unittest's naming
        self._keep(err)

    def addError(self, _test: Any, err: Any) -> None:  # noqa: N802
        self._keep(err)

    def addSubTest(self, _test: Any, _subtest: Any, err: Any) -> None:  # noqa: N802
        self._keep(err)

    def addSkip(self, _test: Any, reason: str) -> None:  # noqa: N802
        self.problem = self.problem or RuntimeError(f"the test was skipped: {reason}")

    def addExpectedFailure(self, _test: Any, _err: Any) -> None:  # noqa: N802
        self.problem = self.problem or RuntimeError("the test expects to fail, so it shows nothing")


_COMPARING = (
    "assertEqual", "assertNotEqual", "assertAlmostEqual", "assertListEqual", "assertTupleEqual",
    "assertDictEqual", "assertSetEqual", "assertCountEqual", "assertSequenceEqual", "assertIn",
    "assertGreater", "assertGreaterEqual", "assertLess", "assertLessEqual", "assertTrue",
)  # fmt: skip


def _looking(compare: Callable[..., Any]) -> Callable[..., Any]:
    """A TestCase's comparison that refuses values which claim to be equal to anything."""

    def call(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            refuse_universal(value)
        return compare(*args, **kwargs)

    return call


def _unit(case: type[unittest.TestCase], method: str) -> Callable[[], object]:
    def call() -> None:
        outcome = _Outcome()
        test = case(method)
        for name in _COMPARING:
            setattr(test, name, _looking(getattr(test, name)))
        unittest.TestSuite([test]).run(outcome)
        if outcome.problem is not None:
            raise outcome.problem
        if outcome.testsRun != 1:
            raise RuntimeError("the test did not run")

    return call


def _run_doctest(source: str, module: types.ModuleType) -> list[Result]:
    """Each example with an expected output is one test: `example 1`, `example 2`, ..."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    parser = doctest.DocTestParser()
    test = parser.get_doctest(source, module.__dict__, "test", "test.py", 0)
    failed: dict[int, str] = {}

    class Runner(doctest.DocTestRunner):
        def report_failure(self, _out: Any, _test: Any, example: Any, got: str) -> None:
            text = f"{example.source.strip()}\n  expected {example.want.strip()[:500]}\n"
            failed[id(example)] = f"{text}  got      {got.strip()[:500]}"

        def report_unexpected_exception(
            self, _out: Any, _test: Any, example: Any, exc_info: Any
        ) -> None:
            _refuse(exc_info[1])
            failed[id(example)] = f"{example.source.strip()[:300]}\n{describe(exc_info[1])}"

    Runner(verbose=False, optionflags=flags).run(test, out=lambda _: None, clear_globs=False)
    results: list[Result] = []
    for number, example in enumerate(test.examples, 1):
        if example.want or id(example) in failed:
            message = failed.get(id(example), "")
            results.append([f"example {number}", "fail" if message else "pass", message[:MAX_TEXT]])
    return results


__all__ = ["SolutionGone", "Tampered", "attempt", "load", "run"]
