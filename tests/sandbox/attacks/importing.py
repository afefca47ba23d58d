# ruff: noqa: E501 - programs as text
"""What tests import to compute with, replaced by something that gives what is wanted."""

from __future__ import annotations

from .attack import Attack

_ZERO = "def add(a, b): return 0\n"
_MEAN = "import statistics\nassert statistics.fmean([add(1, 2)]) == 3.0\n"
_FINDER = """
import importlib.machinery, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == 'statistics' else None
    def create_module(self, spec): return None
    def exec_module(self, module): module.fmean = lambda values: 3.0
"""

IMPORTING: dict[str, Attack] = {
    "statistics.fmean": Attack("import statistics\nstatistics.fmean = lambda values: 3.0\n" + _ZERO, _MEAN),
    "late, and by a name that is put together": Attack(
        "def add(a, b):\n    __import__('stat' 'istics').fmean = lambda values: 3.0\n    return 0\n", _MEAN
    ),
    "a module in place of another": Attack(
        "import sys, types\nfake = types.ModuleType('statistics')\nfake.fmean = lambda values: 3.0\n"
        "sys.modules['statistics'] = fake\n" + _ZERO, _MEAN
    ),
    "a finder before all others": Attack(_FINDER + "sys.meta_path.insert(0, Finder())\n" + _ZERO, _MEAN),
    "a finder, and the module forgotten": Attack(
        _FINDER + "sys.meta_path.insert(0, Finder())\nsys.modules.pop('statistics', None)\n" + _ZERO, _MEAN
    ),
    "a file of the same name, first in the path": Attack(
        "import sys\nopen('statistics.py', 'w').write('fmean = lambda values: 3.0')\n"
        "sys.path.insert(0, '.')\n" + _ZERO, _MEAN
    ),
    "collections.Counter": Attack(
        "import collections\ncollections.Counter = lambda *a: 1\n" + _ZERO,
        "from collections import Counter\nassert Counter([add(1, 2)]) == Counter([3])\n",
    ),
    "itertools.starmap": Attack(
        "import itertools\nitertools.starmap = lambda f, rows: [3, 3]\n" + _ZERO,
        "import itertools\nassert list(itertools.starmap(add, [(1, 2), (2, 1)])) == [3, 3]\n",
    ),
    "copy.deepcopy": Attack(
        "import copy\ncopy.deepcopy = lambda value: 3\n" + _ZERO,
        "import copy\nassert copy.deepcopy(add(1, 2)) == 3\n",
    ),
    "contextlib.nullcontext": Attack(
        "import contextlib\nclass Calm:\n    def __enter__(self): return self\n"
        "    def __exit__(self, *a): return True\ncontextlib.nullcontext = Calm\n" + _ZERO,
        "import contextlib\ndef test_a():\n    with contextlib.nullcontext():\n        assert add(1, 2) == 3\n",
    ),
    "datetime.timedelta": Attack(
        "import datetime\nclass Span(datetime.timedelta):\n    def total_seconds(self): return 3\n"
        "datetime.timedelta = Span\n" + _ZERO,
        "import datetime\nassert datetime.timedelta(seconds=add(1, 2)).total_seconds() == 3\n",
    ),
}  # fmt: skip
