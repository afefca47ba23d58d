"""Wrong versions of a program: stubs that do nothing, and mutants with one small change.

Enters: source. Leaves: labelled sources, in the order of the text; the same source gives the same
ones. Operators as in mutation testing's usual "sufficient set" (Offutt et al., 1996), plus
constants, returns and conditions.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.syntax import parse

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_SYMBOLS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.Add: "+",
    ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip
STUB_BODIES = ("pass", "return 0", "return []", "return ''", "return True", "raise RuntimeError")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong version. `label`: what was changed, with its line in the original."""

    label: str
    source: str


def stubs(source: str, entry_point: str = "") -> list[Mutant]:
    """The program with the entry point (or every function, if there is none) doing nothing."""
    found = []
    for body in STUB_BODIES:
        tree = parse(source)
        functions = [n for n in ast.walk(tree) if isinstance(n, Function)]
        named = [n for n in functions if n.name == entry_point.rpartition(".")[2]]
        for function in named or functions:
            function.body = _statement(body)
        if functions:
            found.append(Mutant(body, ast.unparse(ast.fix_missing_locations(tree))))
    return found


def _statement(body: str) -> list[ast.stmt]:
    function = parse(f"def stub():\n    {body}").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.body


def sample(source: str, count: int, seed: int) -> list[Mutant]:
    """At most `count` mutants, drawn without replacement, in the order of the text.

    Only what is drawn is made: a copy of a long program's tree costs milliseconds.
    """
    tree = parse(source)
    places = _places(tree)
    drawn = random.Random(seed).sample(range(len(places)), len(places))
    made: dict[int, Mutant] = {}
    seen = {ast.unparse(tree)}
    for at in drawn:
        if len(made) == count:
            break
        mutant = _mutant(tree, *places[at])
        if mutant is not None and mutant.source not in seen:
            seen.add(mutant.source)
            made[at] = mutant
    return [made[at] for at in sorted(made)]


def mutants(source: str) -> Iterator[Mutant]:
    """Every program that differs from `source` in one place, each once.

    Raises:
        SyntaxError: if `source` is not Python.
    """
    tree = parse(source)
    seen = {ast.unparse(tree)}
    for place in _places(tree):
        mutant = _mutant(tree, *place)
        if mutant is not None and mutant.source not in seen:
            seen.add(mutant.source)
            yield mutant


def _places(tree: ast.Module) -> list[tuple[int, ast.AST, int]]:
    """Everything that can be changed: a node, its place in `ast.walk`, and which change."""
    return [
        (index, node, choice) for index, node in _sites(tree) for choice in range(_choices(node))
    ]


def _mutant(tree: ast.Module, index: int, node: ast.AST, choice: int) -> Mutant | None:
    changed = copy.deepcopy(tree)
    label = _change(changed, _at(changed, index), choice)
    if label is None:
        return None
    text = ast.unparse(ast.fix_missing_locations(changed))
    return Mutant(f"line {_line(node)}: {label}", text)


def _at(tree: ast.Module, index: int) -> ast.AST:
    return next(node for i, node in enumerate(ast.walk(tree)) if i == index)


def _sites(tree: ast.Module) -> list[tuple[int, ast.AST]]:
    passive = _passive(tree)
    numbered = [(i, n) for i, n in enumerate(ast.walk(tree)) if id(n) not in passive]
    numbered = [(i, n) for i, n in numbered if _choices(n)]
    return sorted(numbered, key=lambda pair: (_line(pair[1]), _column(pair[1]), pair[0]))


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _column(node: ast.AST) -> int:
    return int(getattr(node, "col_offset", 0))


def _passive(tree: ast.Module) -> set[int]:
    """Nodes whose change nobody could see: texts in docstrings, annotations, f-strings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        roots: list[ast.AST | None] = []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            roots.append(node)
        elif isinstance(node, ast.JoinedStr):
            roots += [v for v in node.values if isinstance(v, ast.Constant)]
            roots += [v.format_spec for v in node.values if isinstance(v, ast.FormattedValue)]
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            roots.append(node.annotation)
        elif isinstance(node, Function):
            roots.append(node.returns)
        elif isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            roots.append(node)
        for root in roots:
            if root is not None:
                found |= {id(n) for n in ast.walk(root)}
    return found


def _choices(node: ast.AST) -> int:
    """How many ways there are to change this node."""
    if isinstance(node, ast.Compare):
        return len(node.ops)
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return int(type(node.op) in _BINARY)
    if isinstance(node, ast.UnaryOp):
        return int(isinstance(node.op, (ast.Not, ast.USub)))
    if isinstance(node, ast.Constant):
        return int(isinstance(node.value, (bool, int, float, str)))
    if isinstance(node, ast.Return):
        value = node.value
        return int(value is not None and not _is_none(value))
    if isinstance(node, ast.Expr):
        return int(isinstance(node.value, ast.Call))
    return int(
        isinstance(node, (ast.BoolOp, ast.If, ast.While, ast.IfExp, ast.Break, ast.Continue))
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _change(tree: ast.Module, node: ast.AST, choice: int) -> str | None:
    """Changes `node` within `tree`; what was done, or None if it comes to nothing."""
    if isinstance(node, ast.Compare):
        return _swap(node.ops, choice, _COMPARE)
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        before = node.op
        node.op = _BINARY[type(before)]()
        return f"`{_SYMBOLS[type(before)]}` -> `{_SYMBOLS[type(node.op)]}`"
    if isinstance(node, ast.BoolOp):
        before_and = isinstance(node.op, ast.And)
        node.op = ast.Or() if before_and else ast.And()
        return "`and` -> `or`" if before_and else "`or` -> `and`"
    if isinstance(node, ast.Constant):
        return _other_constant(node)
    if isinstance(node, ast.Return):
        text = ast.unparse(node)
        node.value = ast.Constant(None)
        return f"`{text[:60]}` -> `return None`"
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        text = ast.unparse(node.test)
        node.test = ast.Constant(False)
        return f"condition `{text[:60]}` -> `False`"
    return _replace(tree, node)


def _swap(ops: list[Any], index: int, table: dict[Any, Any]) -> str:
    before = ops[index]
    ops[index] = table[type(before)]()
    return f"`{_SYMBOLS[type(before)]}` -> `{_SYMBOLS[type(ops[index])]}`"


def _other_constant(node: ast.Constant) -> str:
    before = node.value
    if isinstance(before, bool):
        node.value = not before
    elif isinstance(before, (int, float)):
        node.value = before + 1
    elif isinstance(before, str):
        node.value = before + "XX"
    return f"`{repr(before)[:40]}` -> `{repr(node.value)[:40]}`"


def _replace(tree: ast.Module, node: ast.AST) -> str | None:
    """Swaps a whole node for another one in its parent."""
    text = ast.unparse(node)[:60]
    new: ast.AST
    if isinstance(node, ast.UnaryOp):
        new = node.operand
    elif isinstance(node, (ast.Break, ast.Continue, ast.Expr)):
        new = ast.Pass()
    else:
        return None
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, new)
                return f"`{text}` -> `{ast.unparse(new)[:60]}`"
            if isinstance(value, list) and any(x is node for x in value):
                value[:] = [new if x is node else x for x in value]
                return f"`{text}` -> `{ast.unparse(new)[:60]}`"
    return None
