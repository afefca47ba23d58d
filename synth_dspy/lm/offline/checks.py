"""Writes tests: `def check(candidate):` with asserts, from recorded results and from executed ones.

A question's function and its document enter, test source leaves. The test stands alone: it imports
what it uses and calls nothing of the solution but the candidate.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synth_dspy.lm.offline.examples import MAX_CHARS, Example, literal
from synth_dspy.lm.offline.functions import Function, named
from synth_dspy.lm.offline.inputs import canonical_calls, further_inputs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from synth_dspy.lm.offline.contract import Evaluated, Executor

Oracle = Literal["recorded", "executed", "written"]
MAX_ASSERTS = 10
_EXCEPTION = re.compile(r"\b([A-Z]\w*(?:Error|Exception|Warning))\b")
_CLOSE = '''\
def close(actual, expected):
    """Equal, with floats compared up to rounding noise."""
    if isinstance(expected, float) and isinstance(actual, (int, float)):
        return math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(expected, (list, tuple)):
        same = type(actual) is type(expected) and len(actual) == len(expected)
        return same and all(close(a, e) for a, e in zip(actual, expected))
    if isinstance(expected, dict):
        same = isinstance(actual, dict) and actual.keys() == expected.keys()
        return same and all(close(actual[key], expected[key]) for key in expected)
    return actual == expected
'''


@dataclass(frozen=True, slots=True)
class Written:
    """A test and where its expected values come from; `source` is "" when there are none."""

    source: str
    oracle: Oracle


async def write(
    entry_point: str,
    passage: str,
    prior_code: str,
    execute: Executor | None,
    *,
    without: Collection[str] = (),
    most: int = MAX_ASSERTS,
) -> Written:
    """The test of a document's function.

    Args:
        without: expressions that must not be tested (they were found to fail).
        most: how many checks at most.
    """
    function = named(entry_point, passage, prior_code)
    if function is None:
        return Written("", "recorded")
    cases = [e for e in function.examples if e.expression not in without]
    cases = _spread(cases, min(most, max(6, most // 2)))
    recorded = len(cases)
    if execute is not None and recorded < most:
        ran = await _executed(function, passage, prior_code, execute)
        known = set(without)
        for case in function.examples:
            known |= canonical_calls(case.expression, entry_point, passage, prior_code)
        fresh = [case for case in ran if case.expression not in known]
        cases += _spread(fresh, most - recorded)
    if not cases:
        return Written("", "recorded")
    return Written(render(entry_point, cases), "recorded" if len(cases) == recorded else "executed")


async def _executed(
    function: Function, passage: str, prior_code: str, execute: Executor
) -> list[Example]:
    """What the document's own function gives for further literal inputs."""
    expressions = further_inputs(function.name, passage, prior_code)
    if not expressions:
        return []
    results = await execute(whole(function), expressions)
    allowed = _raised(function)
    cases = []
    for expression, result in zip(expressions, results, strict=True):
        case = _case(function.name, expression, result, allowed)
        if case is not None:
            cases.append(case)
    return cases


def _case(name: str, expression: str, result: Evaluated, allowed: frozenset[str]) -> Example | None:
    calls = frozenset({name})
    if result.ok:
        value = literal(result.value)
        if value and len(value) <= MAX_CHARS:
            return Example(expression, "value", value, calls)
        return None
    error = result.error.partition(":")[0].strip().rpartition(".")[2]
    return Example(expression, "raises", error, calls) if error in allowed else None


def whole(function: Function) -> str:
    """A program that defines a function and all that it needs, and nothing else."""
    return assemble([*function.requirement_sources, ("function", function.source)])


def assemble(sources: Sequence[tuple[str, str]]) -> str:
    """Definitions of (kind, source) one after another, spaced as PEP 8 has it."""
    text, last = "", ""
    for kind, source in sources:
        if text:
            heavy = "function" in (kind, last) or "class" in (kind, last)
            text += "\n\n\n" if heavy else "\n" if kind == last else "\n\n"
        text += source.strip("\n")
        last = kind
    return f"{text}\n" if text else ""


def _raised(function: Function) -> frozenset[str]:
    """Exceptions that the function, or what it needs, raises explicitly or documents."""
    found = set(_EXCEPTION.findall(function.doc))
    for node in (function.node, *(d.node for d in function.requirements)):
        for part in ast.walk(node):
            if isinstance(part, ast.Raise) and part.exc is not None:
                raised = part.exc.func if isinstance(part.exc, ast.Call) else part.exc
                if isinstance(raised, ast.Name):
                    found.add(raised.id)
    return frozenset(found)


def _spread(cases: Sequence[Example], most: int) -> list[Example]:
    """At most that many cases, new results before repeated ones, in their first order."""
    seen: dict[str, int] = {}
    ranked = []
    for place, case in enumerate(cases):
        result = f"{case.outcome} {case.expected}"
        ranked.append((seen.get(result, 0), place, case))
        seen[result] = seen.get(result, 0) + 1
    kept = sorted(ranked, key=lambda entry: entry[:2])[:most]
    return [case for _, _, case in sorted(kept, key=lambda entry: entry[1])]


def render(entry_point: str, cases: Sequence[Example]) -> str:
    """Test source for these cases."""
    lines: list[str] = []
    imports = {line for case in cases for line in case.imports}
    deep = False
    for case in cases:
        written, needs = _assertion(entry_point, case)
        lines += written
        deep |= needs == "close"
        if needs:
            imports.add("import math")
    body = "\n".join(f"    {line}" for line in lines)
    parts = ["\n".join(sorted(imports))] if imports else []
    if deep:
        parts.append(_CLOSE.rstrip("\n"))
    parts.append(f"def check(candidate):\n{body}")
    return "\n\n\n".join(parts) + "\n"


def _assertion(entry_point: str, case: Example) -> tuple[list[str], str]:
    """Lines of one check, and the helper that it needs: "", "math" or "close"."""
    expression = _with_candidate(case.expression, entry_point)
    if case.outcome == "raises":
        return [
            "try:",
            f"    {expression}",
            f"except {case.expected}:",
            "    pass",
            "else:",
            f'    assert False, "{case.expected} expected"',
        ], ""
    if case.outcome == "text":
        return [f"assert str({expression}) == {case.expected}"], ""
    value = ast.literal_eval(case.expected)
    tree = ast.parse(expression, mode="eval").body
    if isinstance(value, bool) and isinstance(tree, ast.Compare):
        return [f"assert {expression}" if value else f"assert not ({expression})"], ""
    if value is None or isinstance(value, bool):
        return [f"assert {expression} is {case.expected}"], ""
    if isinstance(value, float):
        check = f"math.isclose({expression}, {case.expected}, rel_tol=1e-9, abs_tol=1e-9)"
        return [f"assert {check}"], "math"
    if _has_float(value):
        return [f"assert close({expression}, {case.expected})"], "close"
    return [f"assert {expression} == {case.expected}"], ""


def _has_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_float(v) for v in value.values())
    if isinstance(value, list | tuple):
        return any(_has_float(v) for v in value)
    return isinstance(value, float)


def _with_candidate(expression: str, entry_point: str) -> str:
    tree = ast.parse(expression, mode="eval")
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and part.id == entry_point:
            part.id = "candidate"
    return ast.unparse(tree)
