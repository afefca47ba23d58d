"""Every attack in Docker: it does not pass, nothing is left, and the next honest job passes."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.sandbox.attacks import HONEST, TEST, Attack, cases
from tests.sandbox.conftest import Runner, containers

pytestmark = pytest.mark.docker
CASES = [
    pytest.param(attack, mode, id=name, marks=[pytest.mark.slow] if attack.slow else [])
    for name, attack, mode in cases()
]


@pytest.fixture(scope="module")
def listener() -> Iterator[None]:
    """What one attack would like to reach: an abstract socket of this machine."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("\0synth-dspy-attack")
        made.listen()
        yield


@pytest.mark.parametrize(("attack", "mode"), CASES)
def test_an_attack_does_not_pass_and_the_next_honest_job_does(
    docker_pool: Runner, listener: None, attack: Attack, mode: str
) -> None:
    verdict = docker_pool.verify(
        attack.solution, attack.test, mode=mode, timeout_s=attack.timeout_s
    )
    assert not verdict.passed, verdict
    assert not attack.reasons or verdict.reason in attack.reasons, verdict
    for _ in range(docker_pool.pool.workers):
        honest = docker_pool.verify(HONEST, TEST, mode=mode, timeout_s=20.0)
        assert honest.passed, (verdict, honest)
    assert len(containers(docker_pool.pool)) <= docker_pool.pool.workers
