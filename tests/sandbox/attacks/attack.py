"""What an attack is, and the tests and honest programs that most of them are tried with."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.records import Mode

TEST = "def test_a():\n    assert add(1, 2) == 3\ndef test_b():\n    assert add('a', 'b') == 'ab'\n"
UNIT = """
import unittest
class TestAdd(unittest.TestCase):
    def test_a(self):
        self.assertEqual(add(1, 2), 3)
    def test_b(self):
        self.assertTrue(add('a', 'b') == 'ab')
"""
HONEST = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return None\n"


@dataclass(frozen=True)
class Attack:
    """`reasons`: verdicts that are fine, any that is not a pass if empty; `slow`: takes seconds."""

    solution: str
    test: str = TEST
    reasons: tuple[str, ...] = ()
    timeout_s: float = 5.0
    modes: tuple[Mode, ...] = ("split", "inproc")
    slow: bool = False
