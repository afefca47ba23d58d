"""Every attack in Docker: it does not pass, and the next honest job does."""

from __future__ import annotations

import pytest

from sandbox.docker_backend import LABEL, connect
from tests.sandbox.attacks import CASES, HONEST, TEST, Attack
from tests.sandbox.conftest import Runner

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(("attack", "mode"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_an_attack_does_not_pass_and_the_next_honest_job_does(
    docker_pool: Runner, attack: Attack, mode: str
) -> None:
    verdict = docker_pool.verify(
        attack.solution, attack.test, mode=mode, timeout_s=attack.timeout_s
    )
    assert not verdict.passed, verdict
    assert not attack.reasons or verdict.reason in attack.reasons, verdict
    for _ in range(docker_pool.pool.workers):
        assert docker_pool.verify(HONEST, TEST, mode=mode, timeout_s=20.0).passed


def test_no_container_is_left_beside_those_of_the_pool(docker_pool: Runner) -> None:
    client = connect()
    left = client.containers.list(all=True, filters={"label": LABEL})
    client.close()
    assert len(left) <= docker_pool.pool.workers
