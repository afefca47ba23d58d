"""Asserts that say what they saw: `assert f(1) == 2` fails with the values of both sides.

Enters: a test's syntax tree. Leaves: the tree with every `assert` replaced by code that evaluates
each operand once, in order, and reports through the object that the test's module knows as
`_sandbox_checks`. Asserts that stand directly in the module are reported when they pass, too.
"""

from __future__ import annotations

import ast
from typing import Any

from .codec import is_universal
from .feedback import show

NAME = "_sandbox_checks"


class Tampered(BaseException):
    """The solution was caught fooling the test. Not an `Exception`: no test may swallow it."""


class Checks:
    """What rewritten asserts call. `passed` collects the ids of module-level asserts, in order."""

    AssertionError = AssertionError  # the real one, whatever the test's module binds

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.seen = 0

    def look(self, *values: object) -> bool:
        """Always True; raises Tampered for a value that equals everything."""
        self.seen += 1
        for value in values:
            refuse_universal(value)
        return True

    def done(self, name: str) -> None:
        """The module-level assert `name` has passed."""
        self.passed.append(name)

    @staticmethod
    def error(source: str, names: list[str], values: list[object], message: object) -> str:
        """Text of the AssertionError."""
        lines = [f"assert {source}"]
        width = max((len(name) for name in names), default=0)
        lines += [f"  {n:<{width}} = {show(v)}" for n, v in zip(names, values, strict=True)]
        if message is not None:
            lines.append(f"  {str(message)[:300]}")
        return "\n".join(lines)


def refuse_universal(value: Any, depth: int = 3) -> None:
    """Raises Tampered for a value, or one nested in plain containers, that equals everything."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset) and depth and len(value) <= 1_000:
        for item in value:
            refuse_universal(item, depth - 1)
    elif kind is dict and depth and len(value) <= 1_000:
        for key, item in value.items():
            refuse_universal(key, depth - 1)
            refuse_universal(item, depth - 1)
    elif kind.__module__ not in ("builtins", "numpy") and is_universal(value):
        raise Tampered(f"a {kind.__name__} that claims to be equal to anything")


def assert_id(node: ast.Assert) -> str:
    """Name of a module-level assert among the test's ids."""
    return f"line {node.lineno}.{node.col_offset}" if node.col_offset else f"line {node.lineno}"


class Rewriter(ast.NodeTransformer):
    """Replaces asserts; `rewrite` is its only entrance."""

    def __init__(self) -> None:
        self.count = 0

    def visit_Assert(self, node: ast.Assert) -> Any:
        """One assert as: operands to names, then `if not (...): raise AssertionError(...)`."""
        self.count += 1
        binds: list[ast.stmt] = []
        labels: list[str] = []
        names: list[str] = []

        def keep(operand: ast.expr, label: str) -> ast.expr:
            name = f"_sandbox_{self.count}_{len(names)}"
            binds.append(ast.Assign([ast.Name(name, ast.Store())], operand))
            labels.append(label)
            names.append(name)
            return ast.Name(name, ast.Load())

        test = _with_operands_kept(node.test, keep)
        values: list[ast.expr] = [ast.Name(name, ast.Load()) for name in names]
        look = _call("look", list(values))
        failed = ast.UnaryOp(ast.Not(), ast.BoolOp(ast.And(), [look, test]))
        text = _call("error", [
            ast.Constant(ast.unparse(node.test)[:300]),
            ast.List([ast.Constant(label) for label in labels], ast.Load()),
            ast.List(list(values), ast.Load()),
            node.msg or ast.Constant(None),
        ])  # fmt: skip
        error = ast.Call(ast.Attribute(_checks(), "AssertionError", ast.Load()), [text], [])
        new: list[ast.stmt] = [*binds, ast.If(failed, [ast.Raise(error)], [])]
        for statement in new:
            ast.copy_location(statement, node)
            for child in ast.walk(statement):
                if not hasattr(child, "lineno") and isinstance(child, (ast.expr, ast.stmt)):
                    ast.copy_location(child, node)
        return new


def _with_operands_kept(test: ast.expr, keep: Any) -> ast.expr:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left = keep(test.left, "left")
        return ast.Compare(left, test.ops, [keep(test.comparators[0], "right")])
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return ast.UnaryOp(test.op, keep(test.operand, "value"))
    if isinstance(test, ast.Call) and not any(isinstance(a, ast.Starred) for a in test.args):
        function = test.func
        if isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Name):
            function = ast.Attribute(keep(function.value, "of"), function.attr, ast.Load())
        args = [keep(arg, f"argument {i}") for i, arg in enumerate(test.args, 1)]
        return ast.Call(function, args, test.keywords)
    return test if isinstance(test, (ast.BoolOp, ast.Compare)) else keep(test, "value")


def _checks() -> ast.expr:
    return ast.Name(NAME, ast.Load())


def _call(method: str, args: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Attribute(_checks(), method, ast.Load()), args, [])


def rewrite(tree: ast.Module) -> ast.Module:
    """The test with asserts that report; see the module's docstring."""
    rewriter = Rewriter()
    body: list[ast.stmt] = []
    for node in tree.body:
        new = rewriter.visit(node)
        body += new if isinstance(new, list) else [new]
        if isinstance(node, ast.Assert):
            done = ast.Expr(_call("done", [ast.Constant(assert_id(node))]))
            body.append(ast.copy_location(done, node))
    return ast.fix_missing_locations(ast.Module(body, []))
