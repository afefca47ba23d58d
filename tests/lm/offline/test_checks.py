"""Tests that the offline model writes and mends."""

from __future__ import annotations

import ast

import pytest

from signatures.questions import RepairTest, WriteTest
from synth_dspy.lm.offline import OfflineModel
from synth_dspy.lm.offline.checks import whole
from synth_dspy.lm.offline.functions import named
from tests.lm.offline.asking import ask, evaluate, passes
from tests.lm.offline.documents import GAUGES


def program(name: str, passage: str = GAUGES) -> str:
    function = named(name, passage)
    assert function is not None
    return whole(function)


def running() -> OfflineModel:
    return OfflineModel(execute=evaluate)


def test_without_an_executor_all_values_are_recorded_ones() -> None:
    answer = ask(WriteTest, passage=GAUGES, entry_point="rain")
    assert answer.oracle == "recorded"
    assert answer.test_code.count("assert ") == 3
    assert "candidate(7, 2.0), 2.8" in answer.test_code
    assert passes(program("rain"), answer.test_code, "rain")


def test_an_executor_adds_inputs_at_the_boundaries_and_the_documented_error() -> None:
    answer = ask(WriteTest, passage=GAUGES, entry_point="rain", model=running())
    assert answer.oracle == "executed"
    assert "except ValueError" in answer.test_code
    assert passes(program("rain"), answer.test_code, "rain")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("tips < 0", "tips < -1"),
        ("tips * STEP_MM", "tips + STEP_MM"),
        ("0.2", "0.3"),
        ("* area", "/ area"),
    ],
)
def test_the_test_fails_a_changed_function(right: str, wrong: str) -> None:
    test = ask(WriteTest, passage=GAUGES, entry_point="rain", model=running()).test_code
    changed = program("rain").replace(right, wrong)
    assert changed != program("rain")
    assert not passes(changed, test, "rain")


@pytest.mark.parametrize("entry_point", ["rain", "mean_level"])
def test_a_test_stands_alone_and_has_at_most_ten_checks(entry_point: str) -> None:
    test = ask(WriteTest, passage=GAUGES, entry_point=entry_point, model=running()).test_code
    tree = ast.parse(test)
    check = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "check")
    assert len(check.body) <= 10
    assert entry_point not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def test_a_printed_value_is_recorded_line_by_line_with_its_label() -> None:
    passage = (
        "```python\ndef twice(x: int) -> int:\n    return x + x\n\n"
        'print("first:", twice(4))\nprint(twice(5))\n```\n\n```text\nfirst: 8\n10\n```'
    )
    test = ask(WriteTest, passage=passage, entry_point="twice").test_code
    assert "candidate(4) == 8" in test
    assert "candidate(5) == 10" in test


def test_output_of_a_loop_is_not_taken_for_a_value() -> None:
    passage = (
        "```python\ndef twice(x: int) -> int:\n    return x + x\n\n"
        "for i in range(2):\n    print(twice(i))\ntwice(7)\n```\n\n```text\n0\n2\n14\n```"
    )
    assert ask(WriteTest, passage=passage, entry_point="twice").test_code == ""


def test_a_name_that_holds_a_literal_is_written_out_as_it_was_then() -> None:
    passage = (
        "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n\n"
        "xs = [1, 2]\ntotal(xs)\n```\n\n```text\n3\n```\n\n```python\nxs = [5]\n```"
    )
    assert (
        "candidate([1, 2]) == 3" in ask(WriteTest, passage=passage, entry_point="total").test_code
    )


def test_text_that_looks_like_a_number_is_compared_as_text() -> None:
    passage = (
        "```python\ndef shown(x):\n    return f'{x}'\n\nprint(shown(3))\n```\n\n```text\n3\n```"
    )
    test = ask(WriteTest, passage=passage, entry_point="shown").test_code
    assert "str(candidate(3)) == '3'" in test


def test_a_printed_tuple_is_a_value_even_when_it_holds_text() -> None:
    passage = (
        "```python\ndef ends(x: str) -> tuple[str, str]:\n    return x[0], x[-1]\n\n"
        "print(ends('abc'))\n```\n\n```text\n('a', 'c')\n```"
    )
    test = ask(WriteTest, passage=passage, entry_point="ends").test_code
    assert "candidate('abc') == ('a', 'c')" in test


@pytest.mark.parametrize(
    "output", ["nan", "<object at 0x7f>", "[1, ..., 3]", "array([1, 2])", "inf"]
)
def test_output_that_is_no_literal_is_no_oracle(output: str) -> None:
    passage = f"```python\ndef f(x):\n    return x\n\nf(3)\n```\n\n```text\n{output}\n```"
    assert ask(WriteTest, passage=passage, entry_point="f").test_code == ""


def test_an_undocumented_error_is_not_asserted() -> None:
    passage = (
        "```python\ndef share(a: int, b: int) -> float:\n    if b == 1:\n        return a\n"
        "    return a / b\n\nshare(4, 2)\n```\n\n```text\n2.0\n```"
    )
    test = ask(WriteTest, passage=passage, entry_point="share", model=running()).test_code
    assert "candidate(4, 1)" in test
    assert "except" not in test


def test_floats_deep_in_a_value_are_compared_with_tolerance() -> None:
    passage = (
        "```python\ndef pair(x: float) -> tuple[float, list[float]]:\n    return x, [x / 3]\n\n"
        "pair(0.3)\n```\n\n```text\n(0.3, [0.09999999999999999])\n```"
    )
    test = ask(WriteTest, passage=passage, entry_point="pair").test_code
    assert passes("def pair(x):\n    return x, [0.1]", test, "pair")
    assert not passes("def pair(x):\n    return x, [0.1001]", test, "pair")
    assert not passes("def pair(x):\n    return [x, [0.1]]", test, "pair")


def test_a_function_without_any_oracle_gets_no_test() -> None:
    passage = "```python\ndef f(x):\n    return x + 1\n```"
    answer = ask(WriteTest, passage=passage, entry_point="f", model=running())
    assert answer.test_code == ""


def mended(test: str, report: str, model: OfflineModel | None = None) -> str:
    text: str = ask(
        RepairTest, passage=GAUGES, entry_point="rain", test_code=test, report=report, model=model
    ).repaired_test
    return text


def test_an_assert_that_the_report_names_is_dropped() -> None:
    test = ask(WriteTest, passage=GAUGES, entry_point="rain").test_code
    line = next(line for line in test.splitlines() if "candidate(7, 2.0)" in line).strip()
    after = mended(test, f"AssertionError: {line}")
    assert "candidate(7, 2.0)" not in after
    assert "candidate(10)" in after


def test_an_assert_is_found_by_its_line_too() -> None:
    test = ask(WriteTest, passage=GAUGES, entry_point="rain").test_code
    number = next(n for n, line in enumerate(test.splitlines(), 1) if "candidate(10)" in line)
    assert "candidate(10)" not in mended(test, f"check failed at line {number}")


def test_survivors_get_more_inputs_when_there_is_an_executor() -> None:
    test = ask(WriteTest, passage=GAUGES, entry_point="rain").test_code
    report = "2 mutants survived: line 5: if tips < -1"
    after = mended(test, report, running())
    assert after.count("candidate(") > test.count("candidate(")
    assert passes(program("rain"), after, "rain")
    assert mended(test, report) == test


def test_a_test_that_does_not_parse_is_written_again() -> None:
    assert "def check(candidate):" in mended("def check(:", "SyntaxError")
