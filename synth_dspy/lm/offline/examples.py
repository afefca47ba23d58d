"""What a document records of its functions: doctests, and expressions with the output below them.

A `Module` enters; examples leave: an expression that calls a function, and what came of it. Nothing
is run. Names that hold literals are written out, so an expression stands alone.
"""

from __future__ import annotations

import ast
import doctest
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from synth_dspy.lm.offline.module import (
    BUILTINS,
    Module,
    Statement,
    free_names,
    imported_module,
    is_at_hand,
    module,
)
from synth_dspy.lm.offline.words import word_set

Outcome = Literal["value", "text", "raises"]
MAX_CHARS = 300  # of an expression, and of a value: beyond, a test is unreadable
_IMPURE = word_set(
    """
    print input open exec eval globals locals vars id hash exit quit help
    """
)


@dataclass(frozen=True, slots=True)
class Example:
    """One recorded result.

    Attributes:
        expression: Python source; it calls at least one of the document's functions.
        outcome: `expected` is a literal (value), printed text (text) or an exception (raises).
        calls: names of the document's functions that it calls.
        imports: import statements that it needs.
        documented: it stands in a docstring.
    """

    expression: str
    outcome: Outcome
    expected: str
    calls: frozenset[str]
    imports: tuple[str, ...] = ()
    documented: bool = False


@lru_cache(maxsize=256)
def examples(passage: str, prior_code: str = "") -> tuple[Example, ...]:
    """Every recorded example of a passage and of the code before it, docstrings first."""
    made = module(passage, prior_code)
    found: list[Example] = []
    for definition in made.names.values():
        if definition.kind == "function" and isinstance(definition.node, ast.FunctionDef):
            found.extend(_doctests(made, ast.get_docstring(definition.node) or ""))
    found.extend(_cells(made))
    unique = {example.expression: example for example in reversed(found)}
    return tuple(dict.fromkeys(unique[example.expression] for example in found))


@lru_cache(maxsize=1024)
def doctest_pairs(docstring: str) -> tuple[doctest.Example, ...]:
    """The examples of a docstring; none where it is malformed."""
    try:
        return tuple(doctest.DocTestParser().get_examples(docstring))
    except ValueError:
        return ()


def _doctests(made: Module, docstring: str) -> list[Example]:
    found: list[Example] = []
    known: dict[str, ast.expr] = {}
    for pair in doctest_pairs(docstring):
        node = _only(pair.source)
        if isinstance(node, ast.Expr):
            raised = (pair.exc_msg or "").partition(":")[0].strip()
            example = _example(made, node.value, pair.want.strip("\n"), known, raised)
            if example is not None:
                found.append(example)
        elif node is not None:
            remember(known, node)
    return found


def _only(source: str) -> ast.stmt | None:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    return body[0] if len(body) == 1 else None


def remember(known: dict[str, ast.expr], node: ast.stmt) -> None:
    """Keep what a statement assigns where it is a literal; forget the name where it is not."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            known.pop(part.id, None)
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name) and is_literal(node.value):
            known[target.id] = node.value


def is_literal(node: ast.expr) -> bool:
    """Whether `ast.literal_eval` reads it."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _cells(made: Module) -> list[Example]:
    found: list[Example] = []
    known: dict[str, ast.expr] = {}
    cell: list[Statement] = []
    for index, statement in enumerate(made.statements):
        cell.append(statement)
        last = index + 1 == len(made.statements)
        if last or made.statements[index + 1].snippet is not statement.snippet:
            found.extend(_cell(made, cell, known))
            cell = []
    return found


def _cell(made: Module, cell: list[Statement], known: dict[str, ast.expr]) -> list[Example]:
    """Examples of one code block: its last expression, or its `print` calls line by line."""
    snippet = cell[0].snippet
    output = snippet.output if snippet else ""
    shown: list[tuple[ast.expr, dict[str, ast.expr], bool]] = []
    clear = True
    for position, statement in enumerate(cell):
        node = statement.node
        if isinstance(node, ast.Expr) and _is_print(node.value):
            shown.append((node.value, dict(known), True))
        elif isinstance(node, ast.Expr) and position + 1 == len(cell):
            shown.append((node.value, dict(known), False))
        elif any(_is_print(part) for part in ast.walk(node)):
            # Printing in a loop or inside a function: lines cannot be told apart.
            clear = clear and isinstance(node, ast.FunctionDef | ast.ClassDef)
        remember(known, node)
    if not output or not shown or not clear:
        return []
    lines = output.split("\n")
    if len(shown) == 1:
        wanted = [output]
    elif len(lines) == len(shown):
        wanted = lines
    else:
        return []
    found = []
    for (value, values, printed), want in zip(shown, wanted, strict=True):
        made_of = _printed if printed else _example
        example = made_of(made, value, want, values)
        if example is not None:
            found.append(example)
    return found


def _is_print(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    )


def _printed(made: Module, node: ast.expr, line: str, known: dict[str, ast.expr]) -> Example | None:
    """The example of `print(f(x))`, or of `print("label:", f(x))`."""
    assert isinstance(node, ast.Call)
    if not node.args or node.keywords:
        return None
    *labels, value = node.args
    if isinstance(value, ast.Starred | ast.JoinedStr):
        return None
    for label in labels:
        text = f"{label.value} " if isinstance(label, ast.Constant) and label.value else None  # type: ignore[str-bytes-safe]
        if text is None or not line.startswith(text):
            return None
        line = line.removeprefix(text)
    return _example(made, value, line, known, printed=True)


def _example(
    made: Module,
    node: ast.expr,
    want: str,
    known: dict[str, ast.expr],
    raised: str = "",
    *,
    printed: bool = False,
) -> Example | None:
    """The example of an expression and what was shown for it; None where it cannot be a test."""
    written = alone(node, known)
    if written is None:
        return None
    source, names = written
    calls = frozenset(n for n in names if n in made.names and made.names[n].kind == "function")
    imports = []
    for name in sorted(names - calls):
        definition = made.names.get(name)
        if definition is None or definition.kind != "import" or not is_at_hand(definition):
            return None
        if imported_module(definition) in _UNSTEADY:
            return None
        imports.append(definition.source)
    if not calls or len(source) > MAX_CHARS:
        return None
    outcome, expected = _expected(want.strip(), raised, printed and _may_be_text(made, node, calls))
    if not expected or len(expected) > MAX_CHARS:
        return None
    return Example(source, outcome, expected, calls, tuple(imports), documented=not printed)


_UNSTEADY = word_set(
    """
    random time os sys secrets uuid datetime socket subprocess
    """
)


def _may_be_text(made: Module, node: ast.expr, calls: frozenset[str]) -> bool:
    """Whether `print` may have written a string that looks like another literal."""
    direct = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    for name in calls:
        function = made.names[name].node
        returns = function.returns if isinstance(function, ast.FunctionDef) else None
        written = ast.unparse(returns) if returns is not None else "str"
        # Of a tuple of strings only a part can be a string, never the whole.
        if "str" in (written.split(" | ") if direct else re.findall(r"\w+", written)):
            return True
    return False


def _expected(want: str, raised: str, text: bool) -> tuple[Outcome, str]:
    if raised:
        return "raises", raised if raised.isidentifier() else ""
    if not want or "..." in want:
        return "value", ""
    if text:
        return "text", repr(want)
    value = literal(want)
    return "value", value


def literal(text: str) -> str:
    """A literal in its plain spelling; "" where it is none, or where it is not finite."""
    try:
        value = ast.literal_eval(text.strip())
        spelled = repr(value)
        return spelled if ast.literal_eval(spelled) == value and "inf" not in spelled else ""
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ""


def alone(node: ast.expr, known: dict[str, ast.expr]) -> tuple[str, frozenset[str]] | None:
    """Source with known literals written out, and the names that it still needs; None if impure."""

    class Inline(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return known.get(name.id, name) if isinstance(name.ctx, ast.Load) else name

    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in _IMPURE:
            return None
        if isinstance(part, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr | ast.Lambda):
            return None
    copy = ast.parse(ast.unparse(node), mode="eval").body
    inlined = ast.fix_missing_locations(Inline().visit(copy))
    source = ast.unparse(inlined)
    names = free_names(ast.Expr(inlined))
    return source, frozenset(names - BUILTINS)
