# ruff: noqa: E501 - programs as text
"""Results, frames and replies that were not asked for, and such as no decoder should meet."""

from __future__ import annotations

from .attack import WRONG, Attack

_ON_EVERY_FD = """
import json, os
def flood(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
"""

_RECORD = """json.dumps({"nonce": "0" * 32, "results": [["test_a", "pass", ""], ["test_b", "pass", ""]],
    "tampered": [], "canaries": [], "calls": 2, "unsupported": []}).encode() + b"\\n\""""

FORGING = {
    "records on every descriptor at import": Attack(
        _ON_EVERY_FD + f"flood({_RECORD})\n" + WRONG
    ),
    "records on every descriptor, then exit": Attack(
        _ON_EVERY_FD + f"def add(a, b):\n    flood({_RECORD})\n    os._exit(0)\n"
    ),
    "frames of a worker on every descriptor": Attack(
        _ON_EVERY_FD + "import struct\n"
        "body = json.dumps({'id': 1, 'exit': 0, 'stopped': '', 'oom_kills': 0, 'sizes': [0, 0, 0],"
        " 'seconds': 0, 'clean': True, 'solution_exit': 0}).encode()\n"
        "flood(struct.pack('>I', len(body)) + body)\n" + WRONG
    ),
    "junk on every descriptor": Attack(_ON_EVERY_FD + "flood(b'\\xff' * 10000)\n" + WRONG),
    "replies before the questions": Attack(
        _ON_EVERY_FD + "flood(b'{\"r\": 3, \"a\": []}\\n' * 5)\n"
        "def add(a, b): return None\n"
    ),
    "a reply of 100 MB": Attack("def add(a, b): return 'x' * 100_000_000\n"),
    "300 MB of junk on every descriptor": Attack(
        _ON_EVERY_FD + "def add(a, b):\n    for _ in range(300): flood(b'x' * (1 << 20))\n",
        timeout_s=2.0,
    ),
    "300 MB of short junk lines on every descriptor": Attack(
        _ON_EVERY_FD + "def add(a, b):\n    for _ in range(300): flood(b'{}\\n' * (1 << 18))\n",
        timeout_s=3.0, slow=True,
    ),
    "a reply that is a huge integer": Attack(
        _ON_EVERY_FD + "def add(a, b):\n"
        "    flood(b'{\"r\": ' + b'9' * 1_000_000 + b'}\\n')\n    return None\n",
        modes=("split",),
    ),
    "a reply with a hexadecimal of ten million digits": Attack(
        _ON_EVERY_FD + "def add(a, b):\n"
        "    flood(b'{\"r\": {\"i\": \"0x' + b'f' * 10_000_000 + b'\"}}\\n')\n    return None\n",
        modes=("split",),
    ),
    "a reply with a range, a slice and a regular expression that hang": Attack(
        _ON_EVERY_FD + "def add(a, b):\n"
        "    flood(b'{\"r\": {\"t\": [{\"range\": [0, 1000000000000, 1]},"
        " {\"re\": [\"(a+)+$\", 0]}, {\"D\": \"1e999999999\"}]}}\\n')\n    return None\n"
    ),
    "a reply that names a class to make": Attack(
        _ON_EVERY_FD + "def add(a, b):\n"
        "    flood(b'{\"r\": {\"x\": [\"unittest.mock\", \"ANY\"]}}\\n')\n    return None\n"
    ),
    "a value nested deeply": Attack(
        "def add(a, b):\n    x = []\n    for _ in range(100_000): x = [x]\n    return x\n"
    ),
    "JSON nested deeply": Attack(
        _ON_EVERY_FD + "flood(b'[' * 60000 + b'\\n')\ndef add(a, b): return None\n"
    ),
    "an integer of a million digits": Attack("def add(a, b): return 7 ** 1_000_000\n"),
    "an endless iterator": Attack(
        "import itertools\ndef add(a, b): return (x for x in itertools.count())\n"
    ),
    "an exception that lies": Attack(
        "class E(Exception):\n    __name__ = property(lambda s: 1 / 0)\n"
        "    def __str__(self): raise SystemExit(0)\n"
        "def add(a, b): raise E()\n"
    ),
}  # fmt: skip
