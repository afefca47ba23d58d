"""What is known of a job before it runs."""

from __future__ import annotations

import threading

import pytest

from sandbox.records import Job
from sandbox.static import MAX_SOURCE, plan
from sandbox.syntax import parse

SOLUTION = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("assert f(1) == 1\nassert f(2) == 2\n", ("line 1", "line 2")),
        ("assert f(1) == 1; assert f(2) == 2\n", ("line 1", "line 1.18")),
        ("def test_a():\n    assert f(1)\ndef test_a():\n    assert f(1)\n", ("test_a",)),
        ("def check(candidate):\n    assert candidate(1)\n", ("check",)),
        (
            (
                "from unittest import TestCase\nclass A(TestCase):\n    def test_x(self): "
                "self.assertTrue(f(1))\nclass B(A):\n    def test_y(self): self.assertTrue(f(1))\n"
            ),
            ("A.test_x", "B.test_y"),
        ),
        ("for i in (1, 2):\n    assert f(i) == i\n", ("module",)),
        ("text\n\n>>> f(1)\n1\n>>> x = 1\n>>> f(2)\n2\n", ("example 1", "example 3")),
    ],
)
def test_the_ids_of_the_tests_are_read_from_the_source(
    test: str, expected: tuple[str, ...]
) -> None:
    assert plan(Job(SOLUTION, test)).expected == expected


@pytest.mark.parametrize(
    ("solution", "test", "split"),
    [
        (SOLUTION, "assert f(1)", True),
        ("class A: pass\n" + SOLUTION, "assert f(1)", True),
        ("class A: pass\n" + SOLUTION, "assert f(A())", False),
        (SOLUTION, "from unittest.mock import patch\nassert f(1)", False),
    ],
)
def test_auto_splits_unless_the_test_needs_the_solutions_process(
    solution: str, test: str, split: bool
) -> None:
    assert plan(Job(solution, test)).split is split
    assert plan(Job(solution, test, mode="split")).split
    assert not plan(Job(solution, test, mode="inproc")).split


def test_a_check_without_an_entry_point_takes_the_only_function() -> None:
    found = plan(Job(SOLUTION, "def check(candidate):\n    assert candidate(1)\n"))
    assert found.entry_point == "f"


def test_a_check_that_could_mean_two_functions_says_so() -> None:
    solution = SOLUTION + "def g(x): return x\n"
    problem = plan(Job(solution, "def check(candidate):\n    assert candidate(1)\n")).problem
    assert problem is not None
    assert "entry point" in problem[1]


@pytest.mark.parametrize("source", ["x = '\0'", "(" * 10_000, "def", "x" * (MAX_SOURCE + 1)])
def test_what_cannot_be_parsed_is_a_problem_and_no_crash(source: str) -> None:
    problem = plan(Job(source, "assert f(1)")).problem
    assert problem is not None
    assert problem[0] == "syntax"
    assert "solution.py" in problem[1]


def test_parsing_in_many_threads_at_once_works() -> None:
    source = "x = " + " + ".join(["(1 * (2 + 3))"] * 300)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                parse(source)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
