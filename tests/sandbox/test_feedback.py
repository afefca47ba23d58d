"""What the correction loop is told: enough to mend the program, never more than it can read."""

from __future__ import annotations

import pytest

from sandbox.decide import MAX_MESSAGE
from tests.sandbox.conftest import Runner

LONG = {
    "a long error": ("def f(): raise ValueError('x' * 10**6)\n", "assert f() == 1\n"),
    "a long value": ("def f(): return 'x' * 10**6\n", "assert f() == 1\n"),
    "many values": ("def f(): return list(range(10**5))\n", "assert f() == 1\n"),
    "a deep traceback": ("def f(n=0): return f(n + 1)\n", "assert f() == 1\n"),
    "many failures": (
        "def f(): return 'x' * 1000\n",
        "".join(f"def test_{n}(): assert f() == {n}\n" for n in range(100)),
    ),
    "a long line": (f"def f(): return 1 / 0  # {'x' * 10**5}\n", "assert f() == 1\n"),
    "a long message of the test": ("def f(): return 0\n", "assert f() == 1, 'x' * 10**6\n"),
}


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("what", LONG)
def test_a_message_is_bounded_and_says_something(process: Runner, what: str, mode: str) -> None:
    solution, test = LONG[what]
    verdict = process.verify(solution, test, mode=mode)
    assert not verdict.passed
    assert 10 < len(verdict.message) <= MAX_MESSAGE


@pytest.mark.parametrize("mode", ["split", "inproc"])
@pytest.mark.parametrize("when", ["def f(): return json.loads('{')\n", "json.loads('{')\n"])
def test_frames_of_the_library_are_left_out(process: Runner, when: str, mode: str) -> None:
    message = process.verify(f"import json\n{when}", "assert f() == 1\n", mode=mode).message
    assert "JSONDecodeError" in message
    assert "solution.py, line 2" in message
    assert "decoder.py" not in message
    assert "/" not in message
