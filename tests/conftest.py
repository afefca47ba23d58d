"""What holds for every test: no network, no settings of whoever runs it, and honest skips.

Environment: SYNTH_REQUIRE_DOCKER=1 fails tests that need a Docker engine where none answers instead
of skipping them; SYNTH_NO_SKIPS=1 fails every test that skips (CI sets both); SYNTH_CORPUS names
the folder of real documents that tests marked `corpus` read.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

Backend = Literal["docker", "bwrap", "process"]

# Read by tools at import, so they are set before any test module is imported.
FIXED = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "MPLBACKEND": "Agg",
}
# What a developer's shell, or a CI service, may have set and a test must not see.
REMOVED = ("FORCE_COLOR", "GITHUB_ACTIONS", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME")
REMOVED_ENDINGS = ("_API_KEY", "_MODEL_BASE_URL", "_MODEL_NAME", "_PROXY", "_proxy")


def pytest_configure() -> None:
    os.environ.update(FIXED)
    for name in list(os.environ):
        if name in REMOVED or name.endswith(REMOVED_ENDINGS):
            del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Sockets of this process reach this machine only; anything else is unreachable at once."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if not _is_local(address):
            raise OSError(errno.ENETUNREACH, f"a test tried to reach {address!r}")
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        return connect_ex(self, address) if _is_local(address) else errno.ENETUNREACH

    def resolved(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local((host, 0)):
            raise socket.gaierror(socket.EAI_NONAME, f"a test tried to look up {host!r}")
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        patch.setattr(socket, "getaddrinfo", resolved)
        yield


def _is_local(address: Any) -> bool:
    """Whether an address of `connect` is a Unix socket's or a loopback one."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


@cache
def docker_fault() -> str:
    """Why no Docker engine can be used; "" when one answers."""
    from sandbox.docker_backend import connect
    from sandbox.errors import SandboxUnavailable

    try:
        connect(5).close()
    except SandboxUnavailable as error:
        return str(error)
    return ""


def need_docker() -> None:
    """Skips the test, or fails it where Docker is required, when no engine answers."""
    fault = docker_fault()
    if fault and os.environ.get("SYNTH_REQUIRE_DOCKER") == "1":
        pytest.fail(f"{fault}, and SYNTH_REQUIRE_DOCKER=1", pytrace=False)
    if fault:
        pytest.skip(f"{fault}; start one (Debian: apt-get install docker.io, then dockerd)")


def best_backend() -> Backend:
    """Docker where an engine answers, else bubblewrap where it may run, else no isolation."""
    from sandbox.bwrap_backend import check_bwrap
    from sandbox.errors import SandboxUnavailable

    if not docker_fault():
        return "docker"
    try:
        check_bwrap()
    except SandboxUnavailable:
        return "process"
    return "bwrap"


@pytest.fixture(scope="session")
def sandbox_backend() -> Backend:
    """What an integration test sets `sandbox.backend` to: the best that this machine has.

    Such a test is about the pipeline and its own honest code, so it runs on every machine; what a
    sandbox keeps out is tested in `tests/sandbox`, one backend at a time.
    """
    if docker_fault() and os.environ.get("SYNTH_REQUIRE_DOCKER") == "1":
        need_docker()
    return best_backend()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker"):
        need_docker()
    if item.get_closest_marker("corpus") and not os.environ.get("SYNTH_CORPUS"):
        pytest.skip("SYNTH_CORPUS is not set: name a folder with real documents, and truth.json")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # A machine without the corpus is no fault of the machine: its tests are the only exception.
    exempt = item.get_closest_marker("corpus") and not os.environ.get("SYNTH_CORPUS")
    if not exempt:
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip into a failure where SYNTH_NO_SKIPS=1; an expected failure is no skip."""
    if os.environ.get("SYNTH_NO_SKIPS") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{reason}\nSYNTH_NO_SKIPS=1: nothing may be skipped here."
