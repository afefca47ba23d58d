# ruff: noqa: E501 - programs as text
"""What would outlive its job, or harm the worker that the next job needs."""

from __future__ import annotations

from .attack import WRONG, Attack

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
