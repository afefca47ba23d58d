"""What can be said about a job before it runs: its tests' ids, and whether it can be split.

Enters: the two sources. Leaves: a `Plan`. Nothing is executed; a source that cannot be parsed is
the plan's `problem`.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.image.asserts import assert_id
from sandbox.records import Job, Reason
from sandbox.syntax import parse

MAX_SOURCE = 1_000_000  # characters of a solution or a test

# A test that says one of these reaches into the solution's process, so both must share one.
_REACHES_IN = {"patch", "monkeypatch", "capsys", "capfd", "caplog"}
_SAYS_SOMETHING = re.compile(r"assert|^fail|^raises$|^approx$|^warns$")
# What a solution needs to read the test, or to take its result's place, if both share a process.
_LOOKS = re.compile(
    r"sys\s*\.\s*modules|_getframe|_current_frames|currentframe|co_consts|linecache"
    r"|\b(?:f_back|f_locals|f_globals|tb_frame|gi_frame|cr_frame|ag_frame)\b"
    r"|\b(?:extract|format|print|walk)_stack\b"
    r"|\binspect\s*\.\s*(?:stack|trace|getouterframes|getinnerframes|getsource)|\bgc\s*\.\s*get_|/proc/(?:self|\d)"
)
_COMPARES = re.compile(r"__(?:eq|ne|lt|le|gt|ge|bool|contains|getattribute|getattr)__|\btype\s*\(")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a job will be run, and what a complete result has to contain.

    Attributes:
        split: run it in two processes first.
        may_fall_back: if a value cannot cross, run it again in one process.
        expected: ids that must be among the results; more may come, none may be missing.
        style: of the test.
        classes: classes of the solution that the test names.
        entry_point: the job's, or the solution's only public function.
        uses_solution: the test names something of the solution other than its functions.
        problem: reason and message, if there is nothing to run.
    """

    split: bool = True
    may_fall_back: bool = True
    expected: tuple[str, ...] = ()
    style: Literal["python", "doctest"] = "python"
    classes: tuple[str, ...] = ()
    entry_point: str = ""
    uses_solution: bool = False
    problem: tuple[Reason, str] | None = None


def plan(job: Job) -> Plan:
    """The plan of a job; see `Plan`."""
    solution = _parse(job.solution, "solution.py")
    if isinstance(solution, str):
        return Plan(problem=("syntax", solution))
    functions, classes, names = _definitions(solution)
    entry = job.entry_point or (functions[-1] if len(functions) == 1 else "")
    test = _parse(job.test, "test.py")
    style: Literal["python", "doctest"] = "python"
    if ">>>" in job.test and (isinstance(test, str) or _only_text(test)):
        style, expected, problem = "doctest", _examples(job.test), None
    elif isinstance(test, str):
        return Plan(problem=("syntax", f"the test is not valid Python: {test}"))
    else:
        expected, problem = tuple(_ids(test, entry)), _vacuous(test, entry)
    if problem is None and not expected:
        problem = (
            "the test contains no test: no assert, test_ function, TestCase or check(candidate)"
        )
    words = set(re.findall(r"[A-Za-z_]\w*", job.test))
    named = tuple(sorted(classes & words))
    split = job.mode == "split" or (
        job.mode == "auto"
        and not named
        and entry.partition(".")[0] not in classes
        and not words & _REACHES_IN
    )
    looks = _LOOKS.search(job.solution)
    if looks and not split and problem is None:
        said = f"it names {looks[0]!r}, which can read the test when both share one process"
        return Plan(problem=("tampered", said))
    return Plan(
        split=split,
        may_fall_back=job.mode == "auto" and not looks and not _COMPARES.search(job.solution),
        expected=expected,
        style=style,
        classes=named,
        entry_point=entry,
        uses_solution=bool((names | classes) & words),
        problem=("no_tests", problem) if problem else None,
    )


def _parse(source: str, name: str) -> ast.Module | str:
    if len(source) > MAX_SOURCE:
        return f"{name} has {len(source)} characters; at most {MAX_SOURCE} are read"
    try:
        return parse(source, name)
    except SyntaxError as error:
        line = f": {error.text.strip()[:200]}" if error.text else ""
        return f"{type(error).__name__}: {name}, line {error.lineno}: {error.msg}{line}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{name} cannot be parsed: {type(error).__name__}: {error}"


def _definitions(tree: ast.Module) -> tuple[list[str], set[str], set[str]]:
    """Public functions in order, classes, and every other module-level name."""
    functions: list[str] = []
    classes: set[str] = set()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if not node.name.startswith("_") and node.name not in functions:
                functions.append(node.name)
        elif isinstance(node, ast.ClassDef):
            classes.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.With)):
            names |= {
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
    return functions, classes, names


def _only_text(tree: ast.Module) -> bool:
    return all(isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in tree.body)


def _examples(text: str) -> tuple[str, ...]:
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return ()
    return tuple(f"example {n}" for n, example in enumerate(examples, 1) if example.want)


def _ids(tree: ast.Module, entry: str) -> Iterator[str]:
    cases = _test_cases(tree)
    loose = False
    seen = set()
    for node in tree.body:
        if isinstance(node, ast.Assert):
            yield assert_id(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name.startswith("test") and node.name not in seen:
                seen.add(node.name)
                yield node.name
            elif node.name == "check" and entry and node.args.args:
                yield "check"
        elif isinstance(node, ast.ClassDef):
            if node.name in cases or node.name.startswith("Test"):
                yield from _methods(node)
        elif not isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)):
            loose = loose or _asserts_or_calls(node)
    if loose and not any(isinstance(n, ast.Assert) for n in tree.body):
        yield "module"


def _test_cases(tree: ast.Module) -> set[str]:
    """Names of classes that derive from a TestCase, directly or through one another."""
    cases: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if bases & cases or any(base.endswith("TestCase") for base in bases):
                cases.add(node.name)
    return cases


def _methods(node: ast.ClassDef) -> Iterator[str]:
    defined = [n.name for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for name in dict.fromkeys(defined):
        if name.startswith("test"):
            yield f"{node.name}.{name}"


def _asserts_or_calls(node: ast.stmt) -> bool:
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        return False
    return any(
        isinstance(n, ast.Assert)
        or (isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "check")
        for n in ast.walk(node)
    )


def _vacuous(tree: ast.Module, entry: str) -> str | None:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assert, ast.Raise)):
            break
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if _SAYS_SOMETHING.search(name):
                break
    else:
        return "the test asserts nothing"
    has_check = any(isinstance(n, ast.FunctionDef) and n.name == "check" for n in tree.body)
    if has_check and not entry and not list(_ids(tree, "")):
        return "the test defines check(candidate), but no entry point says which function to check"
    return None
