"""Every attack in Docker: it does not pass, and the next honest job does."""

from __future__ import annotations

import pytest

from tests.sandbox.attacks import HONEST, TEST, Attack, cases
from tests.sandbox.conftest import Runner, containers

pytestmark = pytest.mark.docker
CASES = cases("docker")


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
    assert len(containers(docker_pool.pool)) <= docker_pool.pool.workers
