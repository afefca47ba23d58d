"""Judges code: whether it parses, carries the order out, and uses only what is known.

Question, answer and source enter, scores by criterion leave. No code is run here: whether it passes
its test was found out in the sandbox.
"""

from __future__ import annotations

import ast
import re

from synth_dspy.lm.offline.module import KNOWN_MODULES, free_names, modules_of
from synth_dspy.lm.offline.verdicts import Score
from synth_dspy.lm.offline.words import coverage


def score(kind: str, question: str, answer: str, passage: str) -> dict[str, Score]:
    program = f"{_without_pass(question)}\n{answer}" if kind == "function_completion" else answer
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError):
        broken = Score(0.0, "the code does not parse")
        return dict.fromkeys(("correct", "grounded", "complete", "well_formed"), broken)
    wanted = _named(question)
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    node = functions.get(wanted)
    if node is None or _is_stub(node):
        empty = Score(0.0, f"it does not carry out {wanted or 'the function'}")
        return {"correct": empty, "grounded": Score(0.4), "complete": empty,
                "well_formed": Score(1.0)}  # fmt: skip
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(node))
    parameters = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    unused = [p for p in parameters if p not in used]
    correct = Score(1.0 if returns else 0.3, "it returns nothing")
    if unused and len(unused) == len(parameters):
        correct = Score(0.2, "it does not use its arguments")
    text = ast.unparse(node)
    form = Score(1.0)
    if "```" in answer or "TODO" in text or "[IMAGE:" in answer:
        form = Score(0.1, "it holds marks that are no part of a program")
    return {
        "correct": correct,
        "grounded": _known(tree, program, f"{passage}\n{question}"),
        "complete": Score(1.0),
        "well_formed": form,
    }


def _known(tree: ast.Module, program: str, source: str) -> Score:
    """Whether a program uses only what it defines, what Python has, and what the source names."""
    missing = free_names(tree)
    if missing:
        return Score(0.1, f"nothing defines {', '.join(sorted(missing)[:3])}")
    strange = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in modules_of(node)
        if name not in KNOWN_MODULES and not re.search(rf"\b{re.escape(name)}\b", source)
    }
    if strange:
        return Score(0.2, f"the source knows nothing of {', '.join(sorted(strange)[:3])}")
    return Score(min(1.0, 0.45 + coverage(program, source)), "it has little to do with the source")


def _without_pass(stub: str) -> str:
    return re.sub(r"\n[ \t]*(?:pass|\.\.\.)[ \t]*\s*\Z", "", stub.rstrip())


def _named(question: str) -> str:
    """The function that a stub or an order asks for."""
    try:
        nodes = [n for n in ast.parse(question).body if isinstance(n, ast.FunctionDef)]
        if nodes:
            return nodes[-1].name
    except (SyntaxError, ValueError):
        pass
    found = re.search(r"`(?:def )?(\w+)\(", question) or re.search(r"`(\w+)`", question)
    return found[1] if found else ""


def _is_stub(node: ast.FunctionDef) -> bool:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return all(
        isinstance(s, ast.Pass | ast.Raise)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        or (isinstance(s, ast.Return) and isinstance(s.value, ast.Constant | None))
        for s in body
    )


def specific(kind: str, question: str) -> Score:
    if kind == "code_generation":
        fine = bool(_named(question)) and len(question.split()) >= 12
        return Score(1.0 if fine else 0.2, "it names no function, or not what it must return")
    try:
        tree = ast.parse(question)
    except (SyntaxError, ValueError):
        return Score(0.0, "the stub does not parse")
    nodes = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    if not nodes or not ast.get_docstring(nodes[-1]):
        return Score(0.1, "the stub has no function with a docstring")
    return Score(1.0)
