"""Ways to end before the tests do: exits, signals, crashes, skipped tests."""

from __future__ import annotations

from .attack import UNIT, WRONG, Attack

LEAVING = {
    "sys.exit at import": Attack("import sys\nsys.exit(0)\n"),
    "os._exit at import": Attack("import os\nos._exit(0)\n"),
    "sys.exit in the function": Attack("import sys\ndef add(a, b): sys.exit(0)\n"),
    "os._exit in the function": Attack("import os\ndef add(a, b): os._exit(0)\n"),
    "exit at the end": Attack(
        "import atexit, os\natexit.register(os._exit, 0)\ndef add(a, b): return None\n"
    ),
    "raise SkipTest": Attack(
        "import unittest\ndef add(a, b): raise unittest.SkipTest('no')\n", UNIT
    ),
    "exec another program": Attack(
        "import os\ndef add(a, b): os.execv('/bin/true', ['/bin/true'])\n"
    ),
    "kill oneself": Attack("import os\ndef add(a, b): os.kill(os.getpid(), 9)\n"),
    "segfault": Attack("import ctypes\ndef add(a, b): ctypes.string_at(0)\n"),
    "SkipTest at import": Attack("import unittest\nraise unittest.SkipTest('no')\n", UNIT),
    "a thread that exits": Attack(
        "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\n" + WRONG
    ),
    "an exit when it is collected": Attack(
        "import os\nclass X:\n    def __del__(self): os._exit(0)\n"
        "def add(a, b):\n    X()\n    return None\n"
    ),
    "endless recursion": Attack("def add(a, b): return add(a, b)\n", reasons=("error",)),
}
