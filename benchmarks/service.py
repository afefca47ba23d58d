"""The REST service under load: how soon it answers, 200 requests a second for ten examples each,
its share of a core, and its memory.

python -m benchmarks.service [REQUESTS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import ran
from benchmarks.table import Group, Row, render

PER_SECOND = 200.0
_WARM = 200
_MARKS = (0.1, 0.3, 0.6, 1.0)  # of the requests; memory is read there
_ADDRESS_AFTER = "serving "


@dataclass(frozen=True, slots=True)
class Started:
    """`serve` on the shipped content with the offline model, as users start it.

    Attributes:
        seconds: from its start until it answered.
    """

    url: str
    pid: int
    seconds: float


def service(say: Callable[[str], None], *, requests: int = 10_000) -> Group:
    """Latency at an even rate, CPU of a request, memory on the way, and how long the start took.

    Raises:
        RuntimeError: a request was not answered with its examples.
    """
    latencies: list[float] = []
    memory: list[tuple[float, int]] = []
    seconds, asked = 0.0, 0
    with _serving() as server:
        _load(server.url, _WARM, requests)
        before = _cpu_s(server.pid)
        for mark in _MARKS:
            some = round(requests * mark) - asked
            say(f"{some} requests, {PER_SECOND:.0f} a second")
            found = _load(server.url, some, asked)
            asked += some
            latencies += found["latencies"]
            seconds += found["seconds"]
            memory.append((_rss_mb(server.pid), asked))
        cpu_s = _cpu_s(server.pid) - before
    latencies.sort()
    return Group(
        f"serve, {asked / seconds:.0f} requests/s of 10 examples: "
        f"{', '.join(f'{mb:.0f}' for mb, _ in memory)} MB after "
        f"{', '.join(f'{number:,}' for _, number in memory)}",
        [
            Row("a request, median", [latencies[len(latencies) // 2]]),
            Row("a request, p99", [latencies[int(len(latencies) * 0.99)]]),
            Row("CPU of a request", [cpu_s / asked]),
            Row("start, to the first answer", [server.seconds]),
        ],
    )


@contextmanager
def _serving() -> Iterator[Started]:
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w+") as log:
        command = [
            sys.executable, "-m", "synth_dspy.run", "serve", "--port", "0",
            "--set", f"output_dir={folder}/run", "--set", "routing.serving.requests_per_minute=0",
        ]  # fmt: skip
        start = time.perf_counter()
        with subprocess.Popen(command, stderr=log) as server:
            try:
                url = _address(Path(folder, "log"), server)
                with urllib.request.urlopen(f"{url}/synthetic/health") as answer:
                    answer.read()
                yield Started(url, server.pid, time.perf_counter() - start)
            finally:
                server.kill()


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    while not (text := log.read_text()).endswith("\n"):
        if server.poll() is not None:
            raise RuntimeError(f"serve ended with {server.returncode}: {text}")
        time.sleep(0.01)
    return text.removeprefix(_ADDRESS_AFTER).split()[0].removesuffix("/synthetic")


def _load(url: str, requests: int, first_seed: int) -> dict[str, Any]:
    found = ran("benchmarks.service_client", url, requests, PER_SECOND, first_seed)
    if found["faults"]:
        raise RuntimeError(f"{found['faults']} of {requests} requests were not answered.")
    return found


def _rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _cpu_s(pid: int) -> float:
    """Seconds on a core, in the program and in the kernel for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the table."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    group = service(lambda line: print(line, file=sys.stderr), requests=requests)  # noqa: T201
    print(render([group]))  # noqa: T201


if __name__ == "__main__":
    main()
