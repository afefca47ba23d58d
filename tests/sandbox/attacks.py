# ruff: noqa: E501 - programs as text
"""Solutions that try to pass without being right, or to break the box. None may ever pass.

Each attack is a solution for `TEST` (or for a test of its own), run in every mode it applies to.
"""

from __future__ import annotations

from dataclasses import dataclass

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

_EQUAL = """
class Any:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __bool__(self): return True
    def __hash__(self): return 0
"""
_ON_EVERY_FD = """
import json, os
def flood(data):
    for fd in range(3, 64):
        try: os.write(fd, data)
        except OSError: pass
"""
_RECORD = """json.dumps({"nonce": "0" * 32, "results": [["test_a", "pass", ""], ["test_b", "pass", ""]],
    "tampered": [], "canaries": [], "calls": 2, "unsupported": []}).encode() + b"\\n\""""


@dataclass(frozen=True)
class Attack:
    """`reasons`: verdicts that are fine, any that is not a pass if empty; `slow`: takes seconds."""

    solution: str
    test: str = TEST
    reasons: tuple[str, ...] = ()
    timeout_s: float = 5.0
    modes: tuple[str, ...] = ("split", "inproc")
    slow: bool = False


LYING = {
    "always equal": Attack(_EQUAL + "def add(a, b): return Any()\n"),
    "always equal, in a list": Attack(
        _EQUAL + "def add(a, b): return [Any()]\n", "assert add(1, 2) == [3]\n"
    ),
    "always equal, for unittest": Attack(_EQUAL + "def add(a, b): return Any()\n", UNIT),
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

PATCHING = {
    "unittest.TestCase.assertEqual": Attack(
        "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\n"
        "unittest.TestCase.assertTrue = lambda *a, **k: None\n" + WRONG, UNIT
    ),
    "unittest.TestCase.run": Attack(
        "import unittest\ndef run(self, result=None):\n    result.testsRun += 1\n"
        "unittest.TestCase.run = run\n" + WRONG, UNIT
    ),
    "builtins.all": Attack(
        "import builtins\nbuiltins.all = lambda *a: True\n" + WRONG, "assert all([add(1, 2) == 3])\n"
    ),
    "a solution that defines all": Attack(
        "def all(x): return True\n" + WRONG, "assert all([add(1, 2) == 3])\n"
    ),
    "math.isclose": Attack(
        "import math\nmath.isclose = lambda *a, **k: True\ndef add(a, b): return 0.0\n",
        "import math\nassert math.isclose(add(1.0, 2.0), 3.0)\n",
    ),
    "late, in the function": Attack(
        "import unittest\ndef add(a, b):\n"
        "    unittest.TestCase.assertEqual = lambda *a, **k: None\n"
        "    unittest.TestCase.assertTrue = lambda *a, **k: None\n", UNIT
    ),
    "AssertionError": Attack(
        "import builtins\nbuiltins.AssertionError = type('E', (Exception,), {})\n" + WRONG
    ),
    "json.dumps": Attack(
        "import json\njson.dumps = lambda *a, **k: '{}'\n" + WRONG
    ),
    "sys.settrace": Attack(
        "import sys\nsys.settrace(lambda *a: None)\n" + WRONG
    ),
    "isinstance and len, in the builtins": Attack(
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda x: 2\n"
        "def add(a, b): return []\n",
        "r = add(1, 2)\nassert isinstance(r, tuple) and len(r) == 2\n",
    ),
    "random.seed and time.time, which nobody checks": Attack(
        "import random, time\nrandom.random = time.time = lambda: 3\n" + WRONG
    ),
    "the rewritten asserts": Attack(
        "import sys\nfor n, m in list(getattr(sys, 'mod' 'ules').items()):\n"
        "    if n.endswith('.asserts'): m.Checks.look = lambda *a: False; m.rewrite = lambda t: t\n"
        "    if n.endswith('.collect'): m.rewrite = lambda t: t; m.attempt = lambda c: ('pass', '')\n"
        + WRONG
    ),
    "the collector": Attack(
        "import sys\nfor n, m in list(sys.modules.items()):\n"
        "    if n.endswith('.collect'): m.attempt = lambda call: ('pass', '')\n" + WRONG
    ),
}  # fmt: skip

_DYNAMIC = """
import sys
def get(thing, *parts): return getattr(thing, ''.join(parts))
def constant(frame, a):
    while frame:
        for c in get(frame.f_code, 'co_', 'consts'):
            if type(c) is (int if a == 1 else str) and c in (3, 'ab'): return c
        frame = get(frame, 'f_', 'back')
"""
READING = {
    "the caller's constants": Attack(
        _DYNAMIC + "def add(a, b):\n    return constant(get(sys, '_get', 'frame')(1), a)\n"
    ),
    "the caller's constants, through an exception": Attack(
        _DYNAMIC + "def add(a, b):\n    try: 1 / 0\n    except Exception as e:\n"
        "        return constant(get(e.__traceback__, 'tb_', 'frame'), a)\n"
    ),
    "the caller's constants, through a generator": Attack(
        _DYNAMIC + "def add(a, b):\n    def g(): yield get(get(it, 'gi_', 'frame'), 'f_', 'back')\n"
        "    it = g()\n    return constant(next(it), a)\n"
    ),
    "the test's code": Attack(
        _DYNAMIC + "def add(a, b):\n    test = get(sys, 'mod', 'ules')['test']\n"
        "    for f in (test.test_a, test.test_b):\n"
        "        for c in get(f.__code__, 'co_', 'consts'):\n"
        "            if c == (3 if a == 1 else 'ab'): return c\n"
    ),
    "the test's lines": Attack(
        "import linecache\ndef add(a, b):\n"
        "    text = ''.join(linecache.cache['test.py'][2])\n"
        "    return 3 if a == 1 and '== 3' in text else 'ab'\n"
    ),
    "every object of the collector": Attack(
        _DYNAMIC + "import gc\ndef add(a, b):\n"
        "    for o in get(gc, 'get_', 'objects')():\n"
        "        if isinstance(o, dict) and 'nonce' in o: return 3 if a == 1 else 'ab'\n"
    ),
    "the nonce, from memory": Attack(
        "import re\ndef add(a, b):\n"
        "    with open('/pro' 'c/self/maps') as maps, open('/pro' 'c/self/mem', 'rb') as mem:\n"
        "        for line in maps:\n"
        "            low, high = (int(x, 16) for x in line.split()[0].split('-'))\n"
        "            if 'rw' not in line or high - low > 1 << 26: continue\n"
        "            mem.seek(low)\n"
        "            if re.search(rb'\"nonce\": \"[0-9a-f]{32}\"', mem.read(high - low)):\n"
        "                return 3 if a == 1 else 'ab'\n",
    ),
    "the nonce, from a frame, and a record with it": Attack(
        _DYNAMIC + "import json, os\ndef add(a, b):\n    f = get(sys, '_get', 'frame')()\n"
        "    while f:\n        names = get(f, 'f_', 'locals')\n"
        "        nonce = names.get('nonce') or (names.get('config') or {}).get('nonce')\n"
        "        if nonce:\n            record = {'nonce': nonce, 'tampered': [], 'canaries': [],\n"
        "                'results': [['test_a', 'pass', ''], ['test_b', 'pass', '']]}\n"
        "            for fd in range(3, 64):\n"
        "                try: os.write(fd, json.dumps(record).encode() + b'\\n')\n"
        "                except OSError: pass\n            os._exit(0)\n"
        "        f = get(f, 'f_', 'back')\n"
    ),
    "the tests' source, from modules and frames": Attack(
        "import sys, linecache\nNAME = 'tset'[::-1] + '_b'\n"
        "def add(a, b):\n"
        "    for f in sys._current_frames().values():\n"
        "        while f:\n"
        "            for v in list(f.f_locals.values()) + list(f.f_globals.values()):\n"
        "                if isinstance(v, str) and NAME in v[:-1]: return 3 if a == 1 else 'ab'\n"
        "            f = f.f_back\n"
        "    if 'test' in sys.modules or 'test.py' in linecache.cache: return 3 if a == 1 else 'ab'\n"
        "    return None\n",
        modes=("split",),
    ),
    "other processes' memory": Attack(
        "import os\ndef add(a, b):\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        if int(pid) == os.getpid(): continue\n"
        "        for name in ('mem', 'environ', 'maps'):\n"
        "            try:\n"
        "                with open(f'/proc/{pid}/{name}', 'rb') as f: f.read(1)\n"
        "                return 3 if a == 1 else 'ab'\n"
        "            except OSError: pass\n",
    ),
    "other processes' descriptors": Attack(
        "import os\ndef add(a, b):\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        if int(pid) == os.getpid(): continue\n"
        "        try:\n"
        "            os.listdir(f'/proc/{pid}/fd')\n"
        "            return 3 if a == 1 else 'ab'\n"
        "        except OSError: pass\n",
    ),
    "the sibling's descriptors, taken": Attack(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\ndef add(a, b):\n"
        "    for pid in (1, os.getppid(), os.getpid() - 1, os.getpid() + 1):\n"
        "        try: handle = os.pidfd_open(pid)\n        except OSError: continue\n"
        "        for fd in range(16):\n"
        "            if libc.syscall(438, handle, fd, 0) >= 0: return 3 if a == 1 else 'ab'\n"
    ),
    "writing into others with process_vm_writev": Attack(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\ndef add(a, b):\n"
        "    class V(ctypes.Structure): _fields_ = [('p', ctypes.c_void_p), ('n', ctypes.c_size_t)]\n"
        "    buf = ctypes.create_string_buffer(8)\n    v = V(ctypes.addressof(buf), 8)\n"
        "    for pid in (1, os.getppid(), os.getpid() - 1, os.getpid() + 1):\n"
        "        if libc.process_vm_writev(pid, ctypes.byref(v), 1, ctypes.byref(v), 1, 0) > 0:\n"
        "            return 3 if a == 1 else 'ab'\n"
    ),
    "ptrace and process_vm_readv": Attack(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\ndef add(a, b):\n"
        "    for pid in (1, os.getppid(), os.getpid() + 1):\n"
        "        if libc.ptrace(16, pid, 0, 0) == 0: return 3 if a == 1 else 'ab'\n"
        "        buf = ctypes.create_string_buffer(8)\n"
        "        class V(ctypes.Structure): _fields_ = [('p', ctypes.c_void_p), ('n', ctypes.c_size_t)]\n"
        "        v = V(ctypes.addressof(buf), 8)\n"
        "        if libc.process_vm_readv(pid, ctypes.byref(v), 1, ctypes.byref(v), 1, 0) > 0:\n"
        "            return 3 if a == 1 else 'ab'\n",
    ),
}  # fmt: skip

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

DRAINING = {
    "a fork bomb": Attack(
        "import os\ndef add(a, b):\n    while True:\n"
        "        try: os.fork()\n        except OSError: pass\n", timeout_s=1.0
    ),
    "a thread bomb": Attack(
        "import threading, time\ndef add(a, b):\n"
        "    for _ in range(500): threading.Thread(target=time.sleep, args=(60,)).start()\n"
    ),
    "one process that takes memory": Attack(
        "import os\ndef add(a, b):\n    kept = []\n"
        "    while True: kept.append(bytearray(os.urandom(1 << 20)) * 64)\n",
        reasons=("memory", "no_result"),
    ),
    "one huge allocation": Attack(
        "def add(a, b): return len(bytearray(1 << 40))\n", reasons=("memory",)
    ),
    "many processes that take memory": Attack(
        "import os, time\ndef add(a, b):\n    for _ in range(8):\n        if os.fork() == 0:\n"
        "            x = bytearray(os.urandom(1 << 20)) * 100\n            time.sleep(60)\n"
        "    time.sleep(60)\n", reasons=("memory", "no_result", "timeout"), timeout_s=3.0, slow=True
    ),
    "endless output": Attack(
        "import os\ndef add(a, b):\n    while True: os.write(1, b'x' * 4096)\n",
        reasons=("output_limit",),
    ),
    "endless errors": Attack(
        "import os\ndef add(a, b):\n    while True: os.write(2, b'x' * 4096)\n",
        reasons=("output_limit",),
    ),
    "endless print": Attack(
        "def add(a, b):\n    while True: print('x' * 4096)\n",
        reasons=("output_limit", "memory", "timeout"), timeout_s=3.0,
    ),
    "a loop that ignores signals": Attack(
        "import signal\nfor s in range(1, 65):\n"
        "    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "def add(a, b):\n    while True: pass\n", reasons=("timeout",), timeout_s=1.0
    ),
    "a regular expression that backtracks": Attack(
        "import re\ndef add(a, b): return re.match(r'(a+)+$', 'a' * 60 + 'b')\n",
        reasons=("timeout",), timeout_s=1.0,
    ),
    "a big file": Attack(
        "def add(a, b):\n    with open('/tmp/x', 'wb') as f:\n"
        "        for _ in range(10_000): f.write(b'x' * (1 << 20))\n"
    ),
    "all of /tmp": Attack(
        "def add(a, b):\n    for i in range(200):\n"
        "        with open(f'/tmp/{i}', 'wb') as f: f.write(b'x' * (8 << 20))\n"
    ),
    "every inode": Attack(
        "import os\ndef add(a, b):\n    for i in range(100_000): open(f'/tmp/{i}', 'w').close()\n"
    ),
    "all of shared memory": Attack(
        "def add(a, b):\n    for i in range(100):\n"
        "        with open(f'/dev/shm/{i}', 'wb') as f: f.write(b'x' * (8 << 20))\n"
    ),
    "every descriptor": Attack(
        "import os\nkept = []\ndef add(a, b):\n    while True: kept.append(os.open('/dev/null', 0))\n"
    ),
}  # fmt: skip

_DAEMON = """
import os, time
def start():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                for name in ("/tmp/left", "/dev/shm/left"):
                    try: open(name, "w").close()
                    except OSError: pass
                time.sleep(0.001)
        os._exit(0)
"""
LASTING = {
    "a daemon": Attack(_DAEMON + "def add(a, b):\n    start()\n"),
    "a daemon at import": Attack(_DAEMON + "start()\n" + WRONG),
    "files, directories and links": Attack(
        "import os\nos.makedirs('/tmp/a/b/c')\nopen('/tmp/a/b/c/f', 'w').close()\n"
        "os.chmod('/tmp/a/b', 0)\nos.symlink('/', '/tmp/root')\nos.mkfifo('/tmp/fifo')\n" + WRONG
    ),
    "kill(-1)": Attack("import os\ndef add(a, b): os.kill(-1, 9)\n"),
    "SIGSTOP to all": Attack(
        "import os, signal\ndef add(a, b): os.kill(-1, signal.SIGSTOP)\n", timeout_s=1.0
    ),
    "every signal to the worker": Attack(
        "import os\ndef add(a, b):\n    for s in range(1, 65):\n"
        "        try: os.kill(1, s)\n        except OSError: pass\n"
    ),
    "limits of every other process": Attack(
        "import os, resource\ndef add(a, b):\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        if int(pid) == os.getpid(): continue\n"
        "        for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_AS):\n"
        "            try: resource.prlimit(int(pid), what, (1, 1))\n"
        "            except OSError: continue\n            return 3 if a == 1 else 'ab'\n"
    ),
    "priority and affinity of every other process": Attack(
        "import os\ndef add(a, b):\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        if int(pid) == os.getpid(): continue\n"
        "        for change in (lambda p: os.sched_setaffinity(p, {0}),\n"
        "                       lambda p: os.setpriority(os.PRIO_PROCESS, p, 19)):\n"
        "            try: change(int(pid))\n"
        "            except OSError: continue\n            return 3 if a == 1 else 'ab'\n"
    ),
    "the folders of the processes that follow": Attack(
        "import os\nfor n in range(os.getpid() - 3, os.getpid() + 200):\n"
        "    try: os.mkdir(f'/tmp/job-{n}', 0)\n    except OSError: pass\n" + WRONG
    ),
    "symbolic links where files will be": Attack(
        "import os\nfor n in range(os.getpid() + 1, os.getpid() + 50):\n"
        "    try: os.symlink('/opt/worker', f'/tmp/job-{n}')\n    except OSError: pass\n"
        "os.symlink('/usr', '/dev/shm/usr')\n" + WRONG
    ),
    "a daemon with an abstract socket": Attack(
        "import os, socket, time\ndef add(a, b):\n    if os.fork() == 0:\n        os.setsid()\n"
        "        s = socket.socket(socket.AF_UNIX)\n        s.bind('\\0left')\n        s.listen()\n"
        "        time.sleep(60)\n    time.sleep(0.05)\n"
    ),
    "limits of the worker": Attack(
        "import resource\ndef add(a, b):\n"
        "    resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))\n    return 3 if a == 1 else 'ab'\n"
    ),
}  # fmt: skip

# Each defines `add` so that it is right exactly when the box let something through.
_THROUGH = "    return a + b\n"
ESCAPING = {
    "a connection": Attack(
        "import socket\ndef add(a, b):\n    socket.create_connection(('1.1.1.1', 80), 2)\n" + _THROUGH
    ),
    "a name lookup": Attack(
        "import socket\ndef add(a, b):\n    socket.getaddrinfo('example.org', 80)\n" + _THROUGH
    ),
    "an internet socket": Attack(
        "import socket\ndef add(a, b):\n    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        + _THROUGH
    ),
    "a netlink socket": Attack(
        "import socket\ndef add(a, b):\n    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\n"
        + _THROUGH
    ),
    "writing to the system": Attack(
        "def add(a, b):\n    open('/usr/x', 'w').close()\n" + _THROUGH
    ),
    "writing to the worker's code": Attack(
        "def add(a, b):\n    open('/opt/worker/sandbox_worker/collect.py', 'a').close()\n" + _THROUGH
    ),
    "running what was written": Attack(
        "import os, subprocess\ndef add(a, b):\n"
        "    with open('/tmp/x', 'w') as f: f.write('#!/bin/sh\\n')\n"
        "    os.chmod('/tmp/x', 0o755)\n    subprocess.run(['/tmp/x'], check=True)\n" + _THROUGH,
    ),
    "a new user namespace": Attack(
        "import ctypes\ndef add(a, b):\n    assert ctypes.CDLL(None).unshare(0x10000000) == 0\n"
        + _THROUGH
    ),
    "mount": Attack(
        "import ctypes\ndef add(a, b):\n"
        "    assert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0\n" + _THROUGH
    ),
    "an abstract socket of the machine": Attack(
        "import socket\ndef add(a, b):\n"
        "    socket.socket(socket.AF_UNIX).connect('\\0synth-dspy-attack')\n" + _THROUGH
    ),
    "an abstract socket of the job before": Attack(
        "import socket\ndef add(a, b):\n"
        "    socket.socket(socket.AF_UNIX).connect('\\0left')\n" + _THROUGH
    ),
    "a symbolic link out of /tmp": Attack(
        "import os\ndef add(a, b):\n    os.symlink('/opt/worker/sandbox_worker', '/tmp/way')\n"
        "    open('/tmp/way/collect.py', 'a').close()\n" + _THROUGH
    ),
    "writing among the devices": Attack(
        "def add(a, b):\n    open('/dev/x', 'w').close()\n" + _THROUGH
    ),
    "system v semaphores and messages": Attack(
        "import ctypes\ndef add(a, b):\n    libc = ctypes.CDLL(None)\n"
        "    assert libc.semget(1234, 1, 0o1600) != -1 or libc.msgget(1234, 0o1600) != -1\n" + _THROUGH
    ),
    "a child in a namespace of its own": Attack(
        "import ctypes, platform\ndef add(a, b):\n"
        "    clone = {'x86_64': 56, 'aarch64': 220}[platform.machine()]\n"
        "    pid = ctypes.CDLL(None).syscall(clone, 0x10000000 | 17, 0, 0, 0, 0)\n"
        "    if pid == 0:\n        import os\n        os._exit(0)\n"
        "    assert pid > 0\n" + _THROUGH
    ),
    "capabilities": Attack(
        "def add(a, b):\n    lines = open('/pro' 'c/self/status').read().splitlines()\n"
        "    assert any(int(x.split()[1], 16) for x in lines if x.startswith('Cap'))\n" + _THROUGH
    ),
    "system v shared memory": Attack(
        "import ctypes\ndef add(a, b):\n"
        "    assert ctypes.CDLL(None).shmget(1234, 4096, 0o1600) != -1\n" + _THROUGH
    ),
    "bpf, io_uring, userfaultfd, perf, keyctl": Attack(
        "import ctypes, platform\nnumbers = {'x86_64': (321, 425, 323, 298, 250),"
        " 'aarch64': (280, 425, 282, 241, 219)}[platform.machine()]\n"
        "def add(a, b):\n    libc = ctypes.CDLL(None, use_errno=True)\n"
        "    for n in numbers:\n        r = libc.syscall(n, 0, 0, 0, 0, 0)\n"
        "        if r == -1 and ctypes.get_errno() == 1: continue\n        return a + b\n"
    ),
    "core_pattern": Attack(
        "def add(a, b):\n    open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x')\n" + _THROUGH
    ),
    "becoming root": Attack("import os\ndef add(a, b):\n    os.setuid(0)\n" + _THROUGH),
    "the engine's socket": Attack(
        "import socket\ndef add(a, b):\n"
        "    socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')\n" + _THROUGH
    ),
}  # fmt: skip

FAMILIES: dict[str, dict[str, Attack]] = {
    "lying": LYING, "leaving": LEAVING, "patching": PATCHING, "reading": READING,
    "forging": FORGING, "draining": DRAINING, "lasting": LASTING, "escaping": ESCAPING,
}  # fmt: skip


def cases() -> list[tuple[str, Attack, str]]:
    """Id, attack and mode of everything that is tried, in every backend."""
    return [
        (f"{family}: {name} ({mode})", attack, mode)
        for family, attacks in FAMILIES.items()
        for name, attack in attacks.items()
        for mode in attack.modes
    ]
