# ruff: noqa: E501 - programs as text
"""Ways out: network, mounts, namespaces, devices, kernel interfaces. Right if they succeed."""

from __future__ import annotations

from .attack import Attack

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
    "files in memory, which no limit counts": Attack(
        "import os\ndef add(a, b):\n    os.memfd_create('x')\n" + _THROUGH
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
