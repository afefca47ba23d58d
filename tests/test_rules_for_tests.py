"""What `conftest.py` promises of every test: no network, and no skip where CI allows none."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
ELSEWHERE = ("192.0.2.1", 80)  # an address that is in use nowhere (RFC 5737)


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder for a suite of its own, with this suite's conftest."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers =\n    docker: x\n    corpus: x\n")
    for name in ("SYNTH_NO_SKIPS", "SYNTH_CORPUS", "SYNTH_REQUIRE_DOCKER"):
        monkeypatch.delenv(name, raising=False)
    return pytester


def test_another_machine_cannot_be_reached() -> None:
    with socket.socket() as one, pytest.raises(OSError, match="tried to reach"):
        one.connect(ELSEWHERE)


def test_another_machines_name_cannot_be_looked_up() -> None:
    with pytest.raises(socket.gaierror, match="tried to look up"):
        socket.getaddrinfo("example.org", 443)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_no_key_of_whoever_runs_the_tests_is_seen() -> None:
    assert [name for name in os.environ if name.endswith(("_API_KEY", "_MODEL_BASE_URL"))] == []


SKIPS = "import pytest\ndef test_one():\n    pytest.skip('a tool is missing')\n"


def test_a_skip_is_a_skip_by_default(inner: pytest.Pytester) -> None:
    inner.makepyfile(SKIPS)
    inner.runpytest().assert_outcomes(skipped=1)


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        (SKIPS, "failed"),
        (
            "import pytest\n@pytest.mark.skipif(True, reason='why')\ndef test_one(): pass\n",
            "errors",
        ),
        ("import pytest\npytest.skip('why', allow_module_level=True)\n", "errors"),
        ("import pytest\npytest.importorskip('no_such_module_here')\n", "errors"),
    ],
)
def test_where_nothing_may_be_skipped_a_skip_fails(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str, outcome: str
) -> None:
    monkeypatch.setenv("SYNTH_NO_SKIPS", "1")
    inner.makepyfile(source)
    result = inner.runpytest()
    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines(["*SYNTH_NO_SKIPS=1*"])


def test_an_expected_failure_is_no_skip(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_NO_SKIPS", "1")
    inner.makepyfile("import pytest\n@pytest.mark.xfail\ndef test_one():\n    assert False\n")
    inner.runpytest().assert_outcomes(xfailed=1)


def test_tests_of_the_corpus_skip_only_where_none_is_named(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_NO_SKIPS", "1")
    inner.makepyfile("import pytest\n@pytest.mark.corpus\ndef test_one(): pass\n")
    inner.runpytest().assert_outcomes(skipped=1)
    monkeypatch.setenv("SYNTH_CORPUS", "/somewhere")
    inner.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(("required", "outcome"), [("", "skipped"), ("1", "errors")])
def test_a_missing_engine_skips_and_fails_where_it_is_required(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, required: str, outcome: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setenv("SYNTH_REQUIRE_DOCKER", required)
    inner.makepyfile("import pytest\n@pytest.mark.docker\ndef test_one(): pass\n")
    result = inner.runpytest()
    result.assert_outcomes(**{outcome: 1})


def test_an_integration_test_has_a_backend_without_an_engine(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    inner.makepyfile(
        "def test_one(sandbox_backend): assert sandbox_backend in ('bwrap', 'process')"
    )
    inner.runpytest().assert_outcomes(passed=1)
