"""Calls to a model behind a socket: a bare client, this project, and this project with faults.

The server (`tests/loopback.py`, no model behind it) and every client are processes of their own, so
that CPU and memory are the client's alone. One client after another asks the same number of records
of one call each, in turns, so that what else the machine does meets them alike.

    python -m benchmarks.endpoints --records 2000
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.processes import ran, serving
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


def endpoints(
    say: Say, *, records: int = 2000, rounds: int = 3, at_once: tuple[int, ...] = AT_ONCE
) -> list[Group]:
    """Throughput, CPU and memory beside a bare client, then the same with faults.

    Args:
        rounds: how often the two take turns.

    Raises:
        RuntimeError: a record is lost or counted twice.
    """
    groups, cpu = [], []
    for number in at_once:
        bare, ours = [], []
        with _server() as url:
            for turn in range(rounds):
                say(f"{records} calls, {number} in flight, round {turn + 1}")
                bare.append(_client("bare", url, records, number))
                ours.append(_client("ours", url, records, number))
        memory = max(one.rss_mb for one in ours)
        rows = [_row("bare aiohttp", *bare), _row(f"synth-dspy ({memory:.0f} MB)", *ours)]
        groups.append(Group(f"calls of {LATENCY_S * 1000:.0f} ms, {number} in flight", rows))
        cpu += [
            Row(f"bare aiohttp, {number} in flight", [one.cpu_s for one in bare], records),
            Row(f"synth-dspy, {number} in flight", [one.cpu_s for one in ours], records),
        ]
    groups.append(Group("CPU a call", cpu))
    return [*groups, _faults(say, records, at_once[0])]


def _faults(say: Say, records: int, number: int) -> Group:
    rows = []
    for name, faults in (("no faults", ""), ("5% 429, 3% 500, 2% malformed", FAULTS),
                         ("and 1% hangs (5 s timeout)", HANGS)):  # fmt: skip
        say(f"{records} calls, {number} in flight, {name}")
        with _server(faults) as url:
            one = _client("ours", url, records, number)
        served = one.ends.get("ok", 0)
        rows.append(_row(f"{name}: {served} served, {one.records - served} failed", one))
    return Group(f"faults, {number} in flight", rows)


def _row(name: str, *turns: Measured) -> Row:
    return Row(name, [one.seconds for one in turns], turns[0].records)


def _server(faults: str = "") -> AbstractContextManager[str]:
    arguments = ["--latency-s", LATENCY_S, "--faults", faults, "--seed", 1, "--retry-after-s", 1]
    return serving("tests.loopback", *arguments)


def _client(kind: str, url: str, records: int, at_once: int) -> Measured:
    measured = Measured(
        **ran("benchmarks.endpoint_client", kind, url, records, at_once, HANG_TIMEOUT_S)
    )
    if measured.records != records:
        raise RuntimeError(f"{records} records went in, {measured.records} came out: {measured}")
    return measured


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
