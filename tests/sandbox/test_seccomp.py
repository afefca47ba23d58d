"""The filter's numbers are the kernel's: read from its headers where they are installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.image import seccomp

# What aarch64 (and every newer machine) uses, and x86_64's own table.
HEADERS = {
    "aarch64": ["asm-generic/unistd.h", "aarch64-linux-gnu/asm/unistd_64.h"],
    "x86_64": ["x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"],
}
# A few that are well known, for machines without headers.
KNOWN = {
    "x86_64": {"ptrace": 101, "mount": 165, "bpf": 321, "io_uring_setup": 425, "setns": 308},
    "aarch64": {"ptrace": 117, "mount": 40, "bpf": 280, "io_uring_setup": 425, "setns": 268},
}


def kernel_numbers(machine: str) -> dict[str, int]:
    """System calls by name, from the first header that is here; empty without one."""
    for name in HEADERS[machine]:
        path = Path("/usr/include") / name
        if path.is_file():
            found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text())
            return {call: int(number) for call, number in found}
    return {}


def mine(machine: str) -> dict[str, int]:
    """Every number that the filter compares with, by name."""
    others = {call: number for call, (number, _) in seccomp._ON_SELF[machine].items()}
    own = {"clone": seccomp._CLONE[machine], "socket": seccomp._SOCKET[machine]}
    return {**seccomp.table(machine), **others, **own, "clone3": seccomp._CLONE3}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_number_is_the_kernels(machine: str) -> None:
    numbers = kernel_numbers(machine)
    to_check = mine(machine).keys() if numbers else KNOWN[machine].keys()
    expected = {call: (numbers or KNOWN[machine]).get(call) for call in to_check}
    assert {call: mine(machine)[call] for call in to_check} == expected
