"""What the worker does with honest and with plainly wrong code, in the cheapest backend."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest

from sandbox import Evaluation, Job, Strength
from tests.sandbox.conftest import Runner

ADD = "def add(a, b):\n    return a + b\n"
STYLES = {
    "check": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    "function": "from solution import add\ndef test_add():\n    assert add(1, 2) == 3\n",
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"
        "if __name__ == '__main__':\n    unittest.main()\n"
    ),
    "class of pytest": "class TestAdd:\n    def test_add(self):\n        assert add(1, 2) == 3\n",
    "assert": "assert add(1, 2) == 3\n",
    "assert in a loop": "for a, b in [(1, 2), (2, 1)]:\n    assert add(a, b) == 3\n",
    "doctest": ">>> add(1, 2)\n3\n",
    "async": "async def test_add():\n    assert add(1, 2) == 3\n",
    "parametrize": (
        "import pytest\n@pytest.mark.parametrize('a, b', [(1, 2), (0, 3)])\n"
        "def test_add(a, b):\n    assert add(a, b) == pytest.approx(3)\n"
    ),
    "fixture": (
        "import pytest\n@pytest.fixture\ndef two():\n    yield 2\n"
        "def test_add(two):\n    assert add(1, two) == 3\n"
    ),
}


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_test_passes_a_right_solution(
    process: Runner, style: str, mode: str
) -> None:
    verdict = process.verify(ADD, STYLES[style], mode=mode)
    assert (verdict.passed, verdict.reason, verdict.assurance) == (True, "ok", mode), verdict


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_test_fails_a_wrong_solution(process: Runner, style: str, mode: str) -> None:
    verdict = process.verify(ADD.replace("+", "*"), STYLES[style], mode=mode)
    assert not verdict.passed
    assert verdict.reason == "assertion", verdict


@pytest.mark.parametrize(
    ("solution", "test", "reason"),
    [
        ("def f(:", "assert f() == 1", "syntax"),
        ("def f(): return 1", "assert f( == 1", "syntax"),
        ("def f(): return 1 / 0", "assert f() == 1", "error"),
        ("import nosuch\ndef f(): return 1", "assert f() == 1", "missing_package"),
        ("def f(): return 1", "import nosuch\nassert f() == 1", "missing_package"),
        ("def f():\n    while True: pass", "assert f() == 1", "timeout"),
        ("def f(): return bytearray(1 << 40)", "assert f() == 1", "memory"),
        ("def f():\n    while True: print('x' * 999)", "assert f() == 1", "output_limit"),
        ("import os\ndef f(): os._exit(0)", "assert f() == 1", "no_result"),
        ("def f(): return 1", "x = 1", "no_tests"),
        ("def f(): return 1", "def test_a():\n    pass", "no_tests"),
        ("def f(): return 1", "def test_a():\n    assert True", "no_tests"),
        ("def f(): return 1", "import pytest\ndef test_a():\n    pytest.skip('x')", "no_tests"),
        (
            "def f(): return 1",
            "import pytest\ndef test_a():\n    pytest.skip('x')\n    assert f()",
            "error",
        ),
        ("from unittest.mock import ANY\ndef f(): return ANY", "assert f() == 1", "tampered"),
    ],
)
def test_every_reason_can_be_had(process: Runner, solution: str, test: str, reason: str) -> None:
    verdict = process.verify(solution, test, timeout_s=1.5)
    assert (verdict.passed, verdict.reason) == (False, reason), verdict


def test_the_message_shows_both_sides_of_the_assertion(process: Runner) -> None:
    message = process.verify(ADD, "def test_a():\n    assert add(1, 2) == 4\n").message
    assert "test_a" in message
    assert "line 2" in message
    assert "add(1, 2) == 4" in message
    assert "left  = 3" in message
    assert "right = 4" in message


@pytest.mark.parametrize("mode", ["split", "inproc"])
def test_the_message_shows_the_solutions_line_and_no_path(process: Runner, mode: str) -> None:
    solution = "def inner(x):\n    return 1 // x\ndef f(x):\n    return inner(x)\n"
    message = process.verify(solution, "assert f(0) == 1", mode=mode).message
    assert "ZeroDivisionError" in message
    assert "solution.py, line 2, in inner: return 1 // x" in message
    assert "/" not in message.replace("//", "")


def test_a_test_that_needs_a_class_runs_in_one_process_and_says_so(process: Runner) -> None:
    solution = "class Stack:\n    def size(self): return 0\n"
    verdict = process.verify(solution, "from solution import Stack\nassert Stack().size() == 0\n")
    assert (verdict.passed, verdict.assurance) == (True, "inproc"), verdict


def test_an_object_of_the_solutions_own_falls_back_to_one_process(process: Runner) -> None:
    solution = "class P:\n    x = 1\ndef make(): return P()\n"
    verdict = process.verify(solution, "assert make().x == 1\n")
    assert (verdict.passed, verdict.assurance) == (True, "inproc"), verdict


def test_an_object_that_compares_itself_never_falls_back(process: Runner) -> None:
    solution = "class P:\n    def __eq__(self, o): return o == 1\ndef make(): return P()\n"
    verdict = process.verify(solution, "assert make() == 1\n")
    assert not verdict.passed, verdict


@pytest.mark.parametrize(
    ("solution", "test"),
    [
        ("def f(xs):\n    xs.append(1)\n", "a = []\nf(a)\nassert a == [1]"),
        ("def f(g, x):\n    return g(x)\n", "assert f(lambda x: x + 1, 1) == 2"),
        ("def f(x):\n    return x + 1\ndef g(h):\n    return h(1)\n", "assert g(f) == 2"),
        ("def f(n):\n    yield from range(n)\n", "assert list(f(3)) == [0, 1, 2]"),
        ("async def f(x):\n    return x\n", "import asyncio\nassert asyncio.run(f(3)) == 3"),
        ("LIMIT = {1: (2, {3})}\n", "assert LIMIT == {1: (2, {3})}"),
        ("import math\ndef f(): return 1.0\n", "assert math.isclose(f(), 1.0)"),
        (
            "import json\ndef f(s): return json.loads(s)\n",
            "import json, pytest\nwith pytest.raises(json.JSONDecodeError):\n    assert f('{')",
        ),
        (
            "def f(): print('hi')\n",
            (
                "import contextlib, io\no = io.StringIO()\nwith contextlib.redirect_stdout(o):\n"
                "    f()\nassert o.getvalue() == 'hi\\n'"
            ),
        ),
    ],
)
def test_split_mode_carries(process: Runner, solution: str, test: str) -> None:
    verdict = process.verify(solution, test, mode="split")
    assert verdict.passed, verdict


def test_the_same_pair_gives_the_same_verdict_whatever_ran_before(process: Runner) -> None:
    solution = "import random\ndef f(): return random.random(), sorted({'a', 'b', 'c'}, key=hash)\n"
    values = [evaluated(process, solution, ["f()"])[0].value for _ in range(3)]
    assert len(set(values)) == 1


def evaluated(runner: Runner, source: str, expressions: Sequence[str]) -> list[Evaluation]:
    found = runner.run(runner.pool.evaluate(source, expressions, timeout_s=2.0))
    assert isinstance(found, list)
    return found


def test_evaluate_gives_values_that_read_back_equal(process: Runner) -> None:
    source = "def f(x):\n    return [x, (1.5, None), {'a': {1, 2}}, b'x', 1j]\n"
    (found,) = evaluated(process, source, ["f(True)"])
    assert ast.literal_eval(found.value) == [True, (1.5, None), {"a": {1, 2}}, b"x", 1j]


def test_evaluate_refuses_what_no_literal_can_say(process: Runner) -> None:
    found = evaluated(
        process, "class A: pass\n", ["A()", "float('nan')", "frozenset()", "len", "A"]
    )
    assert [value.ok for value in found] == [False] * 5
    assert all(value.error for value in found)


def test_expressions_share_one_namespace_and_one_failure_stops_none(process: Runner) -> None:
    found = evaluated(process, "xs = []\n", ["xs.append(1)", "1 / 0", "xs", "print('hi')"])
    assert [value.ok for value in found] == [True, False, True, True]
    assert found[1].error == "ZeroDivisionError: division by zero"
    assert found[2].value == "[1]"
    assert found[3].printed == "hi\n"


def test_a_program_that_fails_gives_the_reason_for_each_expression(process: Runner) -> None:
    found = evaluated(process, "import nosuch\n", ["1", "2"])
    assert [value.ok for value in found] == [False, False]
    assert "nosuch" in found[1].error


def test_expressions_after_an_endless_one_are_not_values(process: Runner) -> None:
    source = "def loop():\n    while True: pass\n"
    found = evaluated(process, source, ["1", "loop()", "2"])
    assert [value.ok for value in found] == [True, False, False]
    assert "2 s" in found[2].error


def test_measure_kills_stubs_and_names_the_mutants_that_live(process: Runner) -> None:
    solution = "def big(a, b):\n    if a > b:\n        return a\n    return b\n"
    job = Job(solution, "assert big(1, 2) == 2\nassert big(3, 2) == 3\n")
    found = process.run(process.pool.measure(job))
    assert found == Strength(6, (), 4, 3, ("line 2: `>` -> `>=`",))


def test_a_weak_test_lets_stubs_through(process: Runner) -> None:
    job = Job("def f(x):\n    return [x]\n", "assert isinstance(f(1), list)\n")
    found = process.run(process.pool.measure(job))
    assert isinstance(found, Strength)
    assert found.stubs_passed == ("return []",)


def test_a_pair_that_does_not_pass_has_no_strength(process: Runner) -> None:
    found = process.run(process.pool.measure(Job(ADD, "assert add(1, 2) == 4\n")))
    assert found == Strength(0, (), 0, 0, ())


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("honest", [True, False])
def test_a_patched_numpy_testing_is_seen(process: Runner, mode: str, honest: bool) -> None:
    patch = "" if honest else "np.testing.assert_allclose = lambda *a, **k: None\n"
    solution = f"import numpy as np\nimport numpy.testing\n{patch}def f(x): return np.asarray(x) * "
    test = "import numpy as np\ndef test_f():\n    np.testing.assert_allclose(f([1, 2]), [2, 4])\n"
    verdict = process.verify(solution + ("2\n" if honest else "3\n"), test, mode=mode)
    assert verdict.passed is honest, verdict
    if not honest:
        assert verdict.reason == ("assertion" if mode == "split" else "tampered")


def test_names_that_were_changed_and_put_back_do_not_hide_the_change(process: Runner) -> None:
    solution = (
        "import math, operator\nkept = math.isclose\nmath.isclose = lambda *a: True\n"
        "math.isclose = kept\noperator.eq = lambda *a: True\ndef f(): return 2\n"
    )
    verdict = process.verify(solution, "assert f() == 2\n", mode="inproc")
    assert verdict.reason == "tampered"
    assert "operator.eq" in verdict.message
    assert "math.isclose" not in verdict.message


HONEST_BUT_CURIOUS = {
    "definitions that ask for their module": (
        "import collections, dataclasses, enum, typing\n"
        "P = collections.namedtuple('P', 'x y')\n"
        "class N(typing.NamedTuple):\n    a: int\n"
        "class E(enum.Enum):\n    A = 1\n"
        "@dataclasses.dataclass\nclass D:\n    x: 'int' = 1\n"
        "def f(g): return P(1, 2).x + N(3).a + E.A.value + D().x - 5\n"
    ),
    "warnings and logs": (
        "import logging, warnings\n"
        "def f(g):\n    warnings.warn('x')\n    logging.getLogger('x').warning('y')\n    return 1\n"
    ),
    "a traceback as text": (
        "import traceback\ndef f(g):\n    try:\n        1 / 0\n    except ZeroDivisionError:\n"
        "        return traceback.format_exc().count('ZeroDivisionError')\n"
    ),
    "the signature of a callback": (
        "import inspect\ndef f(g): return int(len(inspect.signature(g).parameters) > 0)\n"
    ),
    "the state of a generator": (
        "import inspect\ndef f(g):\n"
        "    return int(inspect.getgeneratorstate(x for x in '') != '')\n"
    ),
    "a thread": (
        "import threading\ndef f(g):\n    seen = []\n    t = threading.Thread(target=seen.append, "
        "args=(1,))\n    t.start()\n    t.join()\n    return seen[0]\n"
    ),
    "coroutines": (
        "import asyncio\nasync def one():\n    await asyncio.sleep(0)\n    return 1\n"
        "def f(g): return asyncio.run(one())\n"
    ),
}


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("name", HONEST_BUT_CURIOUS)
def test_honest_code_that_asks_the_interpreter_passes(
    process: Runner, name: str, mode: str
) -> None:
    verdict = process.verify(HONEST_BUT_CURIOUS[name], "assert f(lambda x: x) == 1\n", mode=mode)
    assert verdict.passed, verdict
