# ruff: noqa: E501 - programs as text
"""Taking all there is: time, memory, processes, threads, files, descriptors, output."""

from __future__ import annotations

from .attack import Attack

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
    "memory that is shared": Attack(
        "import mmap\ndef add(a, b):\n    kept = mmap.mmap(-1, 1 << 30)\n"
        "    for _ in range(1 << 10): kept.write(b'x' * (1 << 20))\n"
        "    while True: pass\n", reasons=("memory", "no_result"), timeout_s=5.0
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
