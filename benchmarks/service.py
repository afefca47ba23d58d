"""The REST service under load: 200 requests a second for ten examples each, and its memory.

python -m benchmarks.service
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.processes import ran
from benchmarks.table import Group, Row, render

PER_SECOND = 200.0
_WARM = 200


def service(say: Callable[[str], None], *, requests: int = 10_000) -> Group:
    """Latency at the middle and at the 99th of a hundred, at an even rate, and growth of memory.

    Raises:
        RuntimeError: a request was not answered with its examples.
    """
    command = [sys.executable, "-m", "benchmarks.service_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            _asked(url, _WARM)
            before = _rss_mb(server.pid)
            say(f"{requests} requests, {PER_SECOND:.0f} a second")
            found = _asked(url, requests)
            after = _rss_mb(server.pid)
        finally:
            server.kill()
    latencies = sorted(found["latencies"])
    reached = requests / found["seconds"]
    return Group(
        f"serve, {reached:.0f} requests/s of 10 examples, {requests} requests, "
        f"memory {before:.0f} to {after:.0f} MB",
        [
            Row("a request, median", [latencies[len(latencies) // 2]]),
            Row("a request, p99", [latencies[int(len(latencies) * 0.99)]]),
        ],
    )


def _asked(url: str, requests: int) -> dict[str, Any]:
    found = ran("benchmarks.service_client", url, requests, PER_SECOND)
    if found["faults"]:
        raise RuntimeError(f"{found['faults']} of {requests} requests were not answered.")
    return found


def _rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def main() -> None:
    """Print the table."""
    group = service(lambda line: print(line, file=sys.stderr))  # noqa: T201
    print(render([group]))  # noqa: T201


if __name__ == "__main__":
    main()
