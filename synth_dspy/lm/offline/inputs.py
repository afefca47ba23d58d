"""Literal inputs for a function, all found in its document: calls, and constants that it compares.

A function's name and its document enter; call expressions leave. Nothing is run.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from synth_dspy.lm.offline.examples import MAX_CHARS, doctest_pairs, is_literal, remember
from synth_dspy.lm.offline.module import module

MAX_INPUTS = 40
# The empty value is tried only where the documentation speaks of it: what a function does outside
# of its documented domain is nobody's right answer.
_EMPTY = re.compile(r"\b(?:empty|no \w+|nothing|without)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """A call with literal arguments; `values` by parameter name, in the order written."""

    values: tuple[tuple[str, str], ...]

    def written(self, name: str, positional: tuple[str, ...]) -> str:
        """As source; parameters in `positional` are given by place as long as none is left out."""
        parts, by_place = [], True
        values = dict(self.values)
        for parameter in positional:
            if parameter in values and by_place:
                parts.append(values.pop(parameter))
            else:
                by_place = False
        parts += [f"{key}={value}" for key, value in values.items()]
        return f"{name}({', '.join(parts)})"


@lru_cache(maxsize=512)
def literal_calls(name: str, passage: str, prior_code: str = "") -> tuple[Call, ...]:
    """Calls of a function with literal arguments, in the document's order, docstrings first."""
    made = module(passage, prior_code)
    definition = made.names.get(name)
    if definition is None or not isinstance(definition.node, ast.FunctionDef):
        return ()
    parameters = positional_names(definition.node)
    found: list[Call] = []
    for other in made.names.values():
        if isinstance(other.node, ast.FunctionDef):
            known: dict[str, ast.expr] = {}
            for pair in doctest_pairs(ast.get_docstring(other.node) or ""):
                _collect(found, pair.source, name, parameters, known)
    known = {}
    for statement in made.statements:
        if not isinstance(statement.node, ast.FunctionDef | ast.ClassDef):
            _calls_in(found, statement.node, name, parameters, known)
            remember(known, statement.node)
    return tuple(dict.fromkeys(found))


def positional_names(node: ast.FunctionDef) -> tuple[str, ...]:
    """Parameters that can be given by place, in order."""
    return tuple(a.arg for a in (*node.args.posonlyargs, *node.args.args))


def _collect(
    found: list[Call], source: str, name: str, parameters: tuple[str, ...], known: dict[str, Any]
) -> None:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return
    for node in body:
        _calls_in(found, node, name, parameters, known)
        remember(known, node)


def _calls_in(
    found: list[Call],
    tree: ast.AST,
    name: str,
    parameters: tuple[str, ...],
    known: dict[str, ast.expr],
) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id != name or len(node.args) > len(parameters):
            continue
        given = [*zip(parameters, node.args, strict=False)]
        given += [(k.arg, k.value) for k in node.keywords if k.arg]
        if any(k.arg is None for k in node.keywords):
            continue
        values = []
        for parameter, value in given:
            literal = known.get(value.id) if isinstance(value, ast.Name) else value
            if literal is None or not is_literal(literal):
                break
            values.append((parameter, ast.unparse(literal)))
        else:
            if sum(len(v) for _, v in values) <= MAX_CHARS:
                found.append(Call(tuple(values)))


def canonical_calls(
    expression: str, name: str, passage: str, prior_code: str = ""
) -> frozenset[str]:
    """The literal calls of a function inside an expression, each in the one spelling used here."""
    definition = module(passage, prior_code).names.get(name)
    if definition is None or not isinstance(definition.node, ast.FunctionDef):
        return frozenset()
    parameters = positional_names(definition.node)
    found: list[Call] = []
    _collect(found, expression, name, parameters, {})
    return frozenset(call.written(name, parameters) for call in found)


def further_inputs(name: str, passage: str, prior_code: str = "") -> list[str]:
    """Call expressions worth running, most telling first: recorded calls, then one value changed.

    A changed value is one recorded for that parameter elsewhere, a neighbour of a constant that the
    function compares with, an equal value where two parameters are compared, or an empty value.
    """
    definition = module(passage, prior_code).names.get(name)
    calls = literal_calls(name, passage, prior_code)
    if definition is None or not isinstance(definition.node, ast.FunctionDef) or not calls:
        return []
    node = definition.node
    parameters = positional_names(node)
    every = (*parameters, *(a.arg for a in node.args.kwonlyargs))
    pools = {p: _pool(node, p, calls) for p in every}
    changed: list[list[Call]] = []
    compared = _compared(node, every)
    for call in calls[:4]:
        given = dict(call.values)
        for a, b in compared:
            if a in given and b in given:
                changed.append([Call(tuple({**given, b: given[a]}.items()))])
        for parameter in given:
            others = [value for value in pools[parameter] if value != given[parameter]]
            changed.append([Call(tuple({**given, parameter: v}.items())) for v in others])
    # One change of each parameter before a second one of any: round robin.
    mixed = [
        row[depth] for depth in range(max(map(len, changed), default=0)) for row in changed
        if depth < len(row)
    ]  # fmt: skip
    unique = dict.fromkeys([*calls, *mixed])
    return [call.written(name, parameters) for call in unique][:MAX_INPUTS]


def _compared(node: ast.FunctionDef, parameters: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of parameters that the function compares with each other: they are tried equal."""
    found = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Compare):
            named = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
            both = [p for p in parameters if p in named]
            if len(both) == 2:
                found[both[0], both[1]] = True
    return list(found)


def _pool(node: ast.FunctionDef, parameter: str, calls: tuple[Call, ...]) -> list[str]:
    """Values to try for one parameter, as source."""
    seen = [v for call in calls for p, v in call.values if p == parameter]
    values = [ast.literal_eval(v) for v in dict.fromkeys(seen)]
    pool = [repr(v) for v in _boundaries(node, parameter, values)]
    pool += dict.fromkeys(seen)
    doc = ast.get_docstring(node) or ""
    if any(isinstance(v, list) and v for v in values):
        pool += ["[]"] if _EMPTY.search(doc) else []
        pool += [repr(v[::-1]) for v in values if isinstance(v, list) and len(v) > 1][:1]
        pool += [repr(v[:1]) for v in values if isinstance(v, list) and len(v) > 1][:1]
    if any(isinstance(v, str) and v for v in values) and _EMPTY.search(doc):
        pool.append("''")
    if any(isinstance(v, bool) for v in values):
        pool += ["True", "False"]
    return [v for v in dict.fromkeys(pool) if len(v) <= MAX_CHARS]


def _boundaries(node: ast.FunctionDef, parameter: str, values: list[Any]) -> list[Any]:
    """Constants that the parameter is compared with, and their neighbours on both sides."""
    whole = bool(values) and all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    found: list[Any] = []
    for part in ast.walk(node):
        if not isinstance(part, ast.Compare):
            continue
        sides = [part.left, *part.comparators]
        names = {n.id for side in sides for n in ast.walk(side) if isinstance(n, ast.Name)}
        if parameter not in names:
            continue
        for side in sides:
            value = side.value if isinstance(side, ast.Constant) else None
            if isinstance(value, int | float) and not isinstance(value, bool):
                found += _neighbours(value, whole=whole)
            elif isinstance(value, str):
                found.append(value)
    numeric = any(_is_number(v) for v in values)
    return [v for v in found if isinstance(v, str) or numeric]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _neighbours(value: float, *, whole: bool) -> list[float]:
    if whole and float(value).is_integer():
        return [int(value), int(value) - 1, int(value) + 1]
    step = 0.1 if abs(value) < 10 else 1.0
    return [float(value), round(value - step, 6), round(value + step, 6)]
