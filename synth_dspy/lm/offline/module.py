"""The top-level names of a document's code, and what each needs to be defined.

Code before a passage and the passage's snippets enter; a `Module` leaves, in which a name stands
for its last definition. Code is parsed, never run.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from synth_dspy.lm.offline.snippets import Snippet, runnable, snippets
from synth_dspy.lm.offline.words import word_set

Kind = Literal["import", "constant", "function", "class", "value"]
BUILTINS = frozenset(dir(builtins))
# What the sandbox has besides the standard library.
KNOWN_MODULES = frozenset(sys.stdlib_module_names) | {"numpy"}
_PURE_CALLS = word_set(
    """
    dict list set frozenset tuple range len sum min max sorted zip enumerate round abs float
    int str bool Decimal Fraction namedtuple compile date timedelta
    """
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One top-level name.

    Attributes:
        kind: "value" is an assignment that is no constant (it calls the document's own code).
        source: the statement; of an import the one alias alone.
        needs: other names that it loads, builtins left out.
    """

    name: str
    kind: Kind
    source: str
    needs: frozenset[str]
    node: ast.stmt
    order: int
    snippet: Snippet | None

    @property
    def in_passage(self) -> bool:
        """Whether the passage itself defines it, and not the code before."""
        return self.snippet is not None


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement as written; `snippet` is None for code before the passage."""

    node: ast.stmt
    source: str
    snippet: Snippet | None


@dataclass(slots=True)
class Module:
    """Every definition, and every top-level statement in order."""

    names: dict[str, Definition] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)

    def requirements(self, definition: Definition) -> list[Definition] | None:
        """What a definition needs, transitively, in the order to write it down; None if unknown."""
        found: dict[str, Definition] = {}
        queue = sorted(definition.needs)
        while queue:
            name = queue.pop()
            if name == definition.name or name in found:
                continue
            other = self.names.get(name)
            if other is None or other.kind == "value":
                return None
            found[name] = other
            queue.extend(sorted(other.needs))
        rank = {"import": 0, "constant": 1, "class": 2, "function": 2}
        return sorted(found.values(), key=lambda d: (rank[d.kind], d.order, d.name))


@lru_cache(maxsize=256)
def module(passage: str, prior_code: str = "") -> Module:
    """What a passage's Python, and the code before it, define."""
    made = Module()
    for node, source in statements(runnable(prior_code)):
        _define(made, Statement(node, source, None))
    for snippet in snippets(passage):
        for node, source in statements(snippet.code):
            _define(made, Statement(node, source, snippet))
    return made


def statements(code: str) -> list[tuple[ast.stmt, str]]:
    """Top-level statements with their source; where the whole does not parse, what of it does."""
    if not code.strip():
        return []
    parts = [code]
    if (whole := _parsed(code)) is None:
        parts = re.split(r"\n(?:[ \t]*\n)+(?=[^\s#)\]}])", code)
    found: list[tuple[ast.stmt, str]] = []
    for part in parts:
        body = whole if whole is not None else _parsed(part)
        lines = part.split("\n")
        for node in body or ():
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(d.lineno for d in decorators)])
            alone = (
                node.col_offset == 0
                and sum(
                    n.lineno <= (node.end_lineno or 0) and (n.end_lineno or 0) >= first
                    for n in body or ()
                )
                == 1
            )
            source = "\n".join(lines[first - 1 : node.end_lineno]) if alone else ast.unparse(node)
            found.append((node, source))
    return found


def _parsed(code: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError):
        return None


def _define(made: Module, statement: Statement) -> None:
    made.statements.append(statement)
    node, order = statement.node, len(made.statements)

    def add(name: str, kind: Kind, source: str, needs: frozenset[str]) -> None:
        made.names[name] = Definition(name, kind, source, needs, node, order, statement.snippet)

    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            add(name, "import", ast.unparse(ast.Import([alias])), frozenset())
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if node.module == "__future__" or alias.name == "*":
                continue
            source = ast.unparse(ast.ImportFrom(node.module, [alias], node.level))
            add(alias.asname or alias.name, "import", source, frozenset())
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        add(node.name, "function", statement.source, free_names(node))
    elif isinstance(node, ast.ClassDef):
        add(node.name, "class", statement.source, free_names(node))
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name):
                    simple = part is target and is_constant(node.value, made)
                    kind: Kind = "constant" if simple else "value"
                    add(part.id, kind, statement.source, free_names(node))


def is_constant(node: ast.expr, made: Module) -> bool:
    """Whether a value is made of literals, other constants and pure standard calls alone."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            called = part.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name not in _PURE_CALLS:
                return False
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            other = made.names.get(part.id)
            bound = part.id in BUILTINS or part.id in _bound(node)
            if not bound and (other is None or other.kind not in ("import", "constant")):
                return False
        elif isinstance(part, ast.Await | ast.Yield | ast.YieldFrom | ast.Lambda):
            return False
    return True


def _bound(node: ast.AST) -> set[str]:
    """Names that a comprehension, a `for`, a `with` or an assignment inside binds."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            found.add(part.id)
        elif isinstance(part, ast.arg):
            found.add(part.arg)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(part.name)
        elif isinstance(part, ast.ExceptHandler):
            found.update([part.name] if part.name else [])
        elif isinstance(part, ast.Import | ast.ImportFrom):
            found.update(a.asname or a.name.partition(".")[0] for a in part.names)
    return found


def free_names(node: ast.AST) -> frozenset[str]:
    """Names that a statement loads and does not bind itself, builtins left out."""
    loaded = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
    for part in ast.walk(node):
        # Annotations may be strings under `from __future__ import annotations`; those are not run.
        if isinstance(part, ast.Global | ast.Nonlocal):
            loaded.update(part.names)
    return frozenset(loaded - _bound(node) - BUILTINS)


def imported_module(definition: Definition) -> str:
    """The top-level module of an import."""
    node = ast.parse(definition.source).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return modules_of(node)[0]


def modules_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Top-level modules that an import statement names."""
    names = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    return [name.partition(".")[0] for name in names]


def is_at_hand(definition: Definition) -> bool:
    """Whether an import is of the standard library or numpy."""
    return imported_module(definition) in KNOWN_MODULES
