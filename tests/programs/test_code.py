"""Source text from models: extraction, assembly, and the faults that are found without running."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.programs.code import (
    assemble,
    body_of,
    broken_code_in,
    extract_code,
    fault_in_stub,
    fault_in_syntax,
    fault_in_test,
    find_function,
)

STUB = '''import math


def area(radius: float) -> float:
    """The area of a circle in square metres."""
    pass
'''
BODY = "    if radius < 0:\n        raise ValueError(radius)\n    return math.pi * radius**2\n"


def test_the_longest_fence_of_a_reply_is_its_code() -> None:
    reply = "Short:\n```python\nx\n```\nWhole:\n```python\ndef f():\n    return 1\n```\nDone."
    assert extract_code(reply) == "def f():\n    return 1\n"


def test_a_fence_inside_a_longer_fence_is_part_of_the_code() -> None:
    reply = '````python\ndef f():\n    """\n    ```\n    x\n    ```\n    """\n````'
    assert "```" in extract_code(reply)


def test_a_reply_without_a_fence_is_code_as_it_is() -> None:
    assert extract_code("\ndef f():\n    pass\n\n") == "def f():\n    pass\n"
    assert extract_code("  \n ") == ""


@pytest.mark.parametrize(
    "reply",
    [
        BODY,
        BODY.lstrip(),
        "\n".join(line[4:] for line in BODY.splitlines()),
        STUB.replace("    pass\n", BODY),
        f"```python\n{BODY}```",
    ],
    ids=["indented", "first line stripped", "dedented", "whole function", "fenced"],
)
def test_a_body_is_found_in_every_way_that_models_write_one(reply: str) -> None:
    assert body_of(reply, "area") == BODY


def test_a_stub_and_its_body_make_a_program() -> None:
    program = assemble(STUB, BODY, "area")
    assert fault_in_syntax(program) is None
    namespace: dict[str, object] = {}
    exec(compile(program, "p", "exec"), namespace)
    assert round(namespace["area"](2.0), 3) == 12.566  # type: ignore[operator]
    assert "pass" not in program


def test_what_stands_after_the_stubbed_function_stays() -> None:
    stub = STUB + "\n\nHALF = 0.5\n"
    assert assemble(stub, BODY, "area").endswith("HALF = 0.5\n")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_no_reply_crashes_the_extractors(reply: str) -> None:
    code = extract_code(reply)
    body_of(reply, "f")
    fault_in_test(code, "f")
    fault_in_stub(code, "f")
    broken_code_in(reply)


@pytest.mark.parametrize(
    ("stub", "fault"),
    [
        ("def f(:", "line 1 is not Python"),
        ("def g():\n    '''Doc.'''\n    pass\n", "does not define a function 'f'"),
        ("def f():\n    pass\n", "no docstring"),
        ("def f():\n    '''Doc.'''\n    return 1\n", "more than a docstring"),
    ],
)
def test_the_fault_of_a_stub_is_named(stub: str, fault: str) -> None:
    assert fault in (fault_in_stub(stub, "f") or "")
    assert fault_in_stub(STUB, "area") is None


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        ("def check(candidate)\n", "not Python"),
        ("def test_it():\n    assert f(1) == 1\n", "does not define check(candidate)"),
        ("def check():\n    assert True\n", "one argument"),
        ("def check(candidate):\n    candidate(1)\n", "asserts nothing"),
        ("def check(candidate):\n    assert 1 == 1\n", "never uses 'candidate'"),
    ],
)
def test_the_fault_of_a_test_is_named(test: str, fault: str) -> None:
    assert fault in (fault_in_test(test, "f") or "")
    assert fault_in_test("def check(candidate):\n    assert candidate(1) == 1\n", "f") is None


def test_a_python_block_of_an_answer_must_parse_and_a_session_need_not() -> None:
    assert broken_code_in("See:\n```python\nx = = 1\n```\n")
    assert broken_code_in("See:\n```python\n>>> f(1)\n2\n```\n") is None
    assert broken_code_in("See:\n```text\nx = = 1\n```\n") is None


def test_the_last_definition_of_a_name_counts() -> None:
    function = find_function("def f():\n    return 1\n\ndef f():\n    return 2\n", "f")
    assert function is not None
    assert function.lineno == 4
