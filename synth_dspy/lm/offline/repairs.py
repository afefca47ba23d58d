"""Mends a test by its report: checks that failed are dropped, survivors get further inputs.

The test, the report and the document enter, a test leaves; the same one when nothing can be done.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import checks
from synth_dspy.lm.offline.checks import MAX_ASSERTS

if TYPE_CHECKING:
    from synth_dspy.lm.offline.contract import Executor
    from synth_dspy.lm.offline.fields import Ask

_SURVIVED = re.compile(
    r"\bsurviv|\bmutant|\bnot killed\b|\bweak\b|\bsmall changes\b|\bstubs? (?:pass|passes)\b",
    re.IGNORECASE,
)
_MORE = 6


async def repair_test(ask: Ask, execute: Executor | None) -> str:
    """The test without what its report names, and with more where the report says it is weak."""
    test, report = ask.text("test_code"), ask.text("report")
    entry_point = ask.text("entry_point")
    passage, prior_code = ask.text("passage"), ask.text("prior_code")
    try:
        tree = ast.parse(test)
        body = next(
            n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "check"
        ).body
    except (SyntaxError, StopIteration, ValueError):
        fresh = await checks.write(entry_point, passage, prior_code, execute)
        return fresh.source or test
    weak = bool(_SURVIVED.search(report))
    failing = set() if weak else {i for i, node in enumerate(body) if _is_named(node, report)}
    bad = {expression for i in failing for expression in _calls(body[i], entry_point)}
    most = len(body) + _MORE if weak else max(MAX_ASSERTS, len(body))
    fresh = await checks.write(
        entry_point, passage, prior_code, execute, without=frozenset(bad), most=most
    )
    return fresh.source or test


def _is_named(node: ast.stmt, report: str) -> bool:
    """Whether a report names a check: by its source, or by its line."""
    flat = " ".join(report.split())
    calls = [ast.unparse(n) for n in ast.walk(node) if isinstance(n, ast.Call) and _is_candidate(n)]
    if any(call in flat for call in calls) or ast.unparse(node) in flat:
        return True
    lines = {int(n) for n in re.findall(r"\bline (\d+)\b", report)}
    return any(node.lineno <= line <= (node.end_lineno or node.lineno) for line in lines)


def _is_candidate(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "candidate"


def _calls(node: ast.stmt, entry_point: str) -> list[str]:
    """The whole expressions a check can have been made of, with the function's own name."""
    found = []
    for part in ast.walk(node):
        if isinstance(part, ast.expr):
            renamed = ast.parse(ast.unparse(part), mode="eval")
            for name in ast.walk(renamed):
                if isinstance(name, ast.Name) and name.id == "candidate":
                    name.id = entry_point
            found.append(ast.unparse(renamed))
    return found
