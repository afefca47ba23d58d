# ruff: noqa: E501 - programs as text
"""Looking for the expected values: in frames, modules, memory and other processes."""

from __future__ import annotations

from .attack import Attack

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
