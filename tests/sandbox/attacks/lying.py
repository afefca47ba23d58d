"""Values that claim to be equal to anything."""

from __future__ import annotations

from .attack import UNIT, Attack

_EQUAL = """
class Any:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __bool__(self): return True
    def __hash__(self): return 0
"""

LYING = {
    "always equal": Attack(_EQUAL + "def add(a, b): return Any()\n"),
    "always equal, in a list": Attack(
        _EQUAL + "def add(a, b): return [Any()]\n", "assert add(1, 2) == [3]\n"
    ),
    "always equal, for unittest": Attack(_EQUAL + "def add(a, b): return Any()\n", UNIT),
    "a key that equals any": Attack(
        "class Key(str):\n    __eq__ = lambda self, other: True\n"
        "    __hash__ = lambda self: hash('x')\ndef add(a, b): return {Key('y'): 1}\n",
        "assert add(1, 2) == {'x': 1}\n",
    ),
    "mock.ANY": Attack("from unittest.mock import ANY\ndef add(a, b): return ANY\n"),
    "int subclass": Attack(
        "class I(int):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\n"
        "def add(a, b): return I(7)\n"
    ),
    "str subclass": Attack(
        "class S(str):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\n"
        "def add(a, b): return S('x')\n"
    ),
    "a namedtuple that compares": Attack(
        "import collections\n"
        "class N(collections.namedtuple('N', 'x')):\n"
        "    def __eq__(self, o): return True\n    def __hash__(self): return 0\n"
        "def add(a, b): return N(1)\n",
        "assert add(1, 2) == (3, 4)\n",
    ),
}
