"""What goes into a sandbox and what comes out of it. Plain frozen data; knows no backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["auto", "split", "inproc"]
Assurance = Literal["split", "inproc", "none"]
Isolation = Literal["docker", "bwrap", "process", "none"]
Reason = Literal[
    "ok", "assertion", "error", "timeout", "memory", "output_limit", "no_result", "no_tests",
    "tampered", "syntax", "missing_package", "sandbox_error",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. Every job gets these; a job's own `timeout_s` replaces the first.

    Attributes:
        timeout_s: wall time of a job; its CPU time is limited to the next whole second.
        memory_mb: of all processes of a job together, temporary files included.
        address_space_mb: of each process (so a single huge allocation fails early and cleanly).
        pids: processes and threads of a job, the worker's own included.
        tmp_mb, tmp_inodes: of /tmp, the only place that can be written.
        output_kb: of standard output, and the same again of standard error.
        nofile: open descriptors a process.
        file_mb: largest single file.
        cpus: cores a worker may use.
        jobs_per_worker: a worker is replaced after this many.
    """

    timeout_s: float = 60.0
    memory_mb: int = 1024
    address_space_mb: int = 4096
    pids: int = 64
    tmp_mb: int = 64
    output_kb: int = 256
    tmp_inodes: int = 4096
    nofile: int = 128
    file_mb: int = 16
    cpus: float = 1.0
    jobs_per_worker: int = 500


@dataclass(frozen=True, slots=True)
class Job:
    """A program and the test that it has to pass.

    Attributes:
        solution: a whole program.
        test: `check(candidate)`, `test_*` functions, `unittest` classes, plain asserts, or a
            doctest text. It sees the solution's module-level names directly and as
            `from solution import name` (any other name of a module that is not installed is an
            error of the test).
        entry_point: the function that `check` receives; "" takes the solution's only one.
        mode: `split` keeps the tests in a process that the solution never shares; `inproc` runs
            both in one; `auto` is split unless the test needs a class of the solution, or a value
            passed between the two is not plain data.
        timeout_s: replaces `Limits.timeout_s`.
        world: 0 runs with fixed seeds and the true clock; every other number has hash seeds,
            random seeds and a date of its own. A sound pair passes in all of them.
    """

    solution: str
    test: str
    entry_point: str = ""
    mode: Mode = "auto"
    timeout_s: float | None = None
    world: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a job.

    Attributes:
        tests: how many tests ran (passed or not); 0 when none was reached.
        message: bounded feedback for whoever corrects the solution; "" when it passed.
        assurance: `split` (the solution never saw the tests), `inproc` (it could have cheated, in
            ways that were looked for), `none` (nothing was run).
        isolation: the backend that ran it.
        seconds: wall time inside the sandbox.
    """

    passed: bool
    reason: Reason
    tests: int
    message: str
    assurance: Assurance
    isolation: Isolation
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One expression's value.

    Attributes:
        ok: it was evaluated and its value is plain data.
        value: text that `ast.literal_eval` reads back to an equal object of the same types.
        error: `ZeroDivisionError: division by zero`, or why the value cannot be written down.
        printed: what it wrote to standard output, bounded.
    """

    ok: bool
    value: str
    error: str = ""
    printed: str = ""


@dataclass(frozen=True, slots=True)
class Strength:
    """How much a test can tell: what it does to wrong versions of the solution it passes.

    Attributes:
        stubs_passed: labels of the stubs that the test let through (`return 0`); should be none.
        survivors: mutants it let through, as `line 4: `<` -> `<=``.
    """

    stubs_run: int
    stubs_passed: tuple[str, ...]
    mutants_run: int
    mutants_killed: int
    survivors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackendReport:
    """What one backend can do on this machine.

    Attributes:
        enforces: `memory`, `pids`, `network`, `filesystem`: whether a probe was really stopped.
        detail: what it is, or what is missing and how to get it.
        seconds_per_verification: median of a few small jobs on a warm worker; 0.0 if unavailable.
    """

    backend: str
    available: bool
    enforces: dict[str, bool] = field(default_factory=dict)
    detail: str = ""
    seconds_per_verification: float = 0.0
