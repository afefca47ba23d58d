"""Calls to a model behind a socket: a bare client, this project, and this project with faults.

The server (`tests/loopback.py`, no model behind it) and every client are processes of their own, so
that CPU and memory are the client's alone. One client after another asks the same number of records
of one call each.

    python -m benchmarks.endpoints --records 2000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.table import Group, Row, render

LATENCY_S = 0.2
FAULTS = "429=0.05,500=0.03,malformed=0.02"
HANGS = f"{FAULTS},hang=0.01"
HANG_TIMEOUT_S = 5.0
AT_ONCE = (64, 256)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One client's run.

    Attributes:
        cpu_s: of its process, from its first call to its last; rss_mb: at its highest.
        ends: how its records ended, by reason.
    """

    seconds: float
    cpu_s: float
    rss_mb: float
    ends: dict[str, int]

    @property
    def records(self) -> int:
        """Records accounted for."""
        return sum(self.ends.values())


def endpoints(say: Say, *, records: int = 600, at_once: tuple[int, ...] = AT_ONCE) -> list[Group]:
    """Throughput, CPU and memory beside a bare client, then the same with faults.

    Raises:
        RuntimeError: a record is lost or counted twice.
    """
    groups, cpu = [], []
    for number in at_once:
        with _server() as url:
            say(f"{records} calls, {number} in flight")
            bare = _client("bare", url, records, number)
            ours = _client("ours", url, records, number)
        rows = [_row("bare aiohttp", bare), _row(f"synth-dspy ({ours.rss_mb:.0f} MB)", ours)]
        groups.append(Group(f"calls of {LATENCY_S * 1000:.0f} ms, {number} in flight", rows))
        cpu += [
            Row(f"bare aiohttp, {number} in flight", [bare.cpu_s], records),
            Row(f"synth-dspy, {number} in flight", [ours.cpu_s], records),
        ]
    groups.append(Group("CPU a call", cpu))
    return [*groups, _faults(say, records, at_once[0])]


def _faults(say: Say, records: int, number: int) -> Group:
    rows = []
    for name, faults in (("no faults", ""), ("5% 429, 3% 500, 2% malformed", FAULTS),
                         ("and 1% hangs (5 s timeout)", HANGS)):  # fmt: skip
        say(f"{records} calls, {number} in flight, {name}")
        with _server(faults) as url:
            ran = _client("ours", url, records, number)
        served = ran.ends.get("ok", 0)
        rows.append(_row(f"{name}: {served} served, {ran.records - served} failed", ran))
    return Group(f"faults, {number} in flight", rows)


def _row(name: str, ran: Measured) -> Row:
    return Row(name, [ran.seconds], ran.records)


@contextmanager
def _server(faults: str = "") -> Iterator[str]:
    command = [sys.executable, "-m", "tests.loopback", "--latency-s", str(LATENCY_S)]
    command += ["--faults", faults, "--seed", "1", "--retry-after-s", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def _client(kind: str, url: str, records: int, at_once: int) -> Measured:
    command = [sys.executable, "-m", "benchmarks.endpoint_client", kind, url]
    command += [str(records), str(at_once), str(HANG_TIMEOUT_S)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    ran = Measured(**json.loads(done.stdout))
    if ran.records != records:
        raise RuntimeError(f"{records} records went in, {ran.records} came out: {ran.ends}")
    return ran


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endpoints", description=__doc__)
    parser.add_argument("--records", type=int, default=2000)
    given = parser.parse_args()
    groups = endpoints(lambda line: print_line(sys.stderr, line), records=given.records)
    print_line(sys.stdout, render(groups))


def print_line(stream: object, line: str) -> None:
    """A line on a stream."""
    stream.write(f"{line}\n")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
