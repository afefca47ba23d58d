"""Python source as models write it: taken out of a reply, joined to its stub, checked for faults.

Enters: replies, stubs, tests. Leaves: source text, or a sentence that says what is wrong with it.
Nothing is ever executed here.
"""

from __future__ import annotations

import ast
import re
import textwrap

_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL
)
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def extract_code(reply: str) -> str:
    """The Python source in a reply: its longest fenced block, or all of it without a fence."""
    blocks = [match[3] for match in _FENCE.finditer(reply.strip("\n") + "\n")]
    code = max(blocks, key=len) if blocks else reply
    return code.strip("\n").rstrip() + "\n" if code.strip() else ""


def find_function(source: str, name: str) -> _Function | None:
    """The top-level function `name` of `source`, or None (also when `source` does not parse)."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    functions = [n for n in tree.body if isinstance(n, _FUNCTION) and n.name == name]
    return functions[-1] if functions else None


def fault_in_syntax(source: str) -> str | None:
    """Why `source` is not Python, with the line, or None when it is."""
    try:
        ast.parse(source)
    except SyntaxError as error:
        line = (error.text or "").strip()
        return f"line {error.lineno} is not Python: {error.msg}: {line!r}"
    except ValueError as error:
        return f"it is not Python: {error}"
    return None


def _without_docstring(function: _Function) -> list[ast.stmt]:
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return function.body[1:] if has_docstring else function.body


def fault_in_stub(stub: str, entry_point: str) -> str | None:
    """Why `stub` is not the stub of one function `entry_point`, or None when it is."""
    if fault := fault_in_syntax(stub):
        return fault
    function = find_function(stub, entry_point)
    if function is None:
        return f"it does not define a function {entry_point!r} at top level"
    if not ast.get_docstring(function):
        return f"{entry_point!r} has no docstring"
    body = _without_docstring(function)
    if any(not isinstance(node, ast.Pass) for node in body):
        return f"the body of {entry_point!r} holds more than a docstring and `pass`"
    return None


def assemble(stub: str, body: str, entry_point: str) -> str:
    """The whole program: `stub` with the `pass` of `entry_point` replaced by `body`."""
    function = find_function(stub, entry_point)
    lines = stub.rstrip().split("\n")
    if function is None:
        return stub.rstrip() + "\n" + body.rstrip() + "\n"
    passes = [node for node in function.body if isinstance(node, ast.Pass)]
    if not passes:
        at = function.end_lineno or len(lines)
        return "\n".join([*lines[:at], body.rstrip(), *lines[at:]]) + "\n"
    first, last = passes[0].lineno - 1, passes[-1].lineno
    return "\n".join([*lines[:first], body.rstrip(), *lines[last:]]) + "\n"


def body_of(reply: str, entry_point: str) -> str:
    """The body of `entry_point`, indented by four spaces, from a body or from a whole function.

    A reply's first line often comes without its indentation (readers strip replies), so the
    indentation of the first line is taken from the lines after it where it is missing.
    """
    code = extract_code(reply)
    function = find_function(code, entry_point)
    if function is not None:
        body = _without_docstring(function)
        if not body:
            return ""
        lines = code.split("\n")[body[0].lineno - 1 : function.end_lineno]
        return textwrap.indent(textwrap.dedent("\n".join(lines)), "    ").rstrip() + "\n"
    for candidate in _indentations(code):
        if fault_in_syntax("def f():\n" + candidate) is None:
            return candidate.rstrip() + "\n"
    return textwrap.indent(textwrap.dedent(code), "    ").rstrip() + "\n"


def _indentations(code: str) -> list[str]:
    """Readings of a body whose first line may have lost its indentation, most literal first."""
    first, _, rest = code.partition("\n")
    bare = first.lstrip()
    dedented = textwrap.dedent(rest)
    nested = bare + "\n" + textwrap.indent(dedented, "    ")
    flat = bare + "\n" + dedented
    whole = textwrap.dedent(code)
    return [textwrap.indent(text, "    ") for text in (whole, flat, nested)]


def fault_in_test(test: str, entry_point: str) -> str | None:
    """Why `test` is no HumanEval test of `entry_point`, or None when it is one."""
    if fault := fault_in_syntax(test):
        return fault
    check = find_function(test, "check")
    if check is None:
        return "it does not define check(candidate) at top level"
    if len(check.args.args) != 1:
        return "check must take one argument, the candidate"
    candidate = check.args.args[0].arg
    asserts = [node for node in ast.walk(check) if isinstance(node, ast.Assert | ast.Raise)]
    if not asserts:
        return "check asserts nothing"
    names = {node.id for node in ast.walk(check) if isinstance(node, ast.Name)}
    if candidate not in names:
        return f"check never uses {candidate!r}: it tests something else than {entry_point!r}"
    return None


def broken_code_in(text: str) -> str | None:
    """The fault of the first ```python block of an answer in words that does not parse, or None."""
    return next((fault for b in python_blocks(text) if (fault := fault_in_syntax(b))), None)


def python_blocks(text: str) -> list[str]:
    """The ```python blocks of an answer in words, but for sessions (`>>>`), which are not run."""
    return [
        textwrap.dedent(match[3])
        for match in _FENCE.finditer(text.strip("\n") + "\n")
        if match[2].lower() in {"python", "py", "python3"} and ">>>" not in match[3]
    ]
