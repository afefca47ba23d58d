"""A row of any dataset as a job: whose column is which, and whether the prompt is part of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from sandbox.records import Job, Mode
from sandbox.syntax import parse

SOLUTION_COLUMNS = ("solution", "canonical_solution", "code", "answer")
TEST_COLUMNS = ("test", "test_code")


def job_from_row(
    row: Mapping[str, object],
    *,
    prompt: str = "prompt",
    solution: str | Sequence[str] = SOLUTION_COLUMNS,
    test: str | Sequence[str] = TEST_COLUMNS,
    entry_point: str = "entry_point",
    mode: Mode = "auto",
    timeout_s: float | None = None,
) -> Job:
    """The job that a row describes. Of several columns the first that is there counts.

    The prompt is put before the solution only when the solution alone does not define the entry
    point, as in HumanEval, whose solutions are the bodies of the prompt's function.

    Raises:
        ValueError: no solution or no test column, or one that is not text.
    """
    body = _text(row, (solution,) if isinstance(solution, str) else solution, "solution")
    tests = _text(row, (test,) if isinstance(test, str) else test, "test")
    name = str(row.get(entry_point) or "")
    before = row.get(prompt)
    if isinstance(before, str) and before and not _defines(body, name):
        joined = f"{before}{body}" if before.endswith("\n") else f"{before}\n{body}"
        if _defines(joined, name):
            body = joined
    return Job(body, tests, name, mode, timeout_s)


def _text(row: Mapping[str, object], columns: Sequence[str], what: str) -> str:
    for column in columns:
        value = row.get(column)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None and not isinstance(value, str):
            raise ValueError(
                f"column {column!r} is {type(value).__name__}, not text: {value!r}"[:200]
            )
    found = ", ".join(map(repr, row)) or "none"
    raise ValueError(
        f"no {what}: looked for {' or '.join(map(repr, columns))}, the row's columns are {found}"
    )


def _defines(source: str, name: str) -> bool:
    """Whether `source` binds `name` at module level; with no name, whether it is Python at all."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    top = name.partition(".")[0]
    return not name or any(top in _bound(node) for node in tree.body)


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
