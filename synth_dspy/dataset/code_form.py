"""Code in a form in which two programs that differ only in names and comments are equal.

Python source enters, normalised source leaves. It knows nothing of samples.
"""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
import warnings

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def normal_code(code: str, *, docstrings: bool = True) -> str:
    """`code` without comments and layout, its variables renamed `v0`, `v1`, ... by appearance.

    Names that are imported, called as attributes, or defined by `def` and `class` stay, since they
    are what the code is about. Code that does not parse only loses its comments.

    Args:
        docstrings: False takes them away too, so that only what is executed is left.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(textwrap.dedent(code))
        if not docstrings:
            _drop_docstrings(tree)
        return ast.unparse(_Renamer().visit(tree))
    except _UNPARSABLE:
        return _without_comments(code)


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        documented = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]


class _Renamer(ast.NodeTransformer):
    """Renames what is assigned, scope by scope; an inner scope sees the names of the outer."""

    def __init__(self) -> None:
        self._scopes: list[dict[str, str]] = []
        self._count = 0

    def _enter(self, names: list[str]) -> None:
        scope = dict(self._scopes[-1]) if self._scopes else {}
        for name in names:
            scope[name] = f"v{self._count}"
            self._count += 1
        self._scopes.append(scope)

    def _renamed(self, name: str) -> str:
        return self._scopes[-1].get(name, name)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self._enter(_assigned(node.body))
        return self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        for part in (*node.args.defaults, *node.args.kw_defaults, *node.decorator_list):
            if part is not None:
                self.visit(part)
        self._enter([*_arguments(node.args), *_assigned(node.body)])
        self._rename_arguments(node.args)
        node.body = [self.visit(statement) for statement in node.body]
        self._scopes.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        for part in (*node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)
        self._enter(_arguments(node.args))
        self._rename_arguments(node.args)
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._renamed(node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self._renamed(node.name)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._renamed(name) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._renamed(name) for name in node.names]
        return node

    def _rename_arguments(self, arguments: ast.arguments) -> None:
        for argument in _every_argument(arguments):
            argument.arg = self._renamed(argument.arg)
            if argument.annotation is not None:
                argument.annotation = self.visit(argument.annotation)


def _every_argument(arguments: ast.arguments) -> list[ast.arg]:
    rest = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def _arguments(arguments: ast.arguments) -> list[str]:
    return [argument.arg for argument in _every_argument(arguments)]


def _assigned(body: list[ast.stmt]) -> list[str]:
    """Names assigned in `body` by order of appearance, without those of inner functions."""
    names: dict[str, None] = {}
    outer: set[str] = set()
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.setdefault(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outer.update(node.names)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))
    return [name for name in names if name not in outer]


def _without_comments(code: str) -> str:
    """`code` without comments as far as it can be read in tokens."""
    layout = (tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return code
    return " ".join(token.string for token in tokens if token.type not in layout)
