"""Schemathesis: whatever the OpenAPI document allows, and what it does not, is no 500."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import positive_data_acceptance

from synth_dspy.config import Config
from synth_dspy.service import OPTIMIZER_REGISTRY, SyntheticDataService, create_app


class Open(SyntheticDataService):
    """A service that outlives its app, which schemathesis starts and ends around every request."""

    async def aclose(self) -> None:
        """Leave it open."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The app's OpenAPI document, with the app behind it."""
    run_dir: Path = tmp_path_factory.mktemp("service")
    config = Config.model_validate({
        "recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(run_dir),
        "routing": {"serving": {"requests_per_minute": 0}},
    })  # fmt: skip
    service = Open(config)
    yield schemathesis.openapi.from_asgi("/openapi.json", create_app(service))
    service.backend.close()


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/synthetic/generate"),
        ("POST", "/synthetic/batch/generate"),
        ("GET", "/synthetic/optimizers"),
        ("GET", "/synthetic/optimizers/{name}"),
        ("GET", "/synthetic/health"),
    ],
)
def test_no_request_is_answered_otherwise_than_the_document_says(
    api: Any, method: str, path: str, mode: Any
) -> None:
    operation = api[path][method]

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        # 422 may answer what the document allows: batches that are too many together, a tenant
        # without content.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    try:
        holds()
    except Unsatisfiable:
        # A GET that takes nothing, or any text as its path, has no wrong request.
        assert method == "GET"
        assert mode is schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("path", "part", "count"),
    [
        ("/synthetic/generate", "body", "count"),
        ("/synthetic/batch/generate", "query", "count_per_batch"),
    ],
)
def test_no_order_that_reaches_the_content_is_answered_otherwise_than_the_document_says(
    api: Any, path: str, part: str, count: str
) -> None:
    statuses = Counter[int]()

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(
        case=api[path]["POST"].as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE),
        optimizer=strategies.sampled_from(sorted(OPTIMIZER_REGISTRY)),
        wanted=strategies.integers(1, 40),
    )
    def holds(case: Any, optimizer: str, wanted: int) -> None:
        # Left to itself, schemathesis names an optimizer and a tenant that are there once or twice.
        order = {"optimizer": optimizer, "tenant_id": "default", count: wanted}
        setattr(case, part, {**getattr(case, part), **order})
        answer = case.call_and_validate(excluded_checks=[positive_data_acceptance])
        statuses[answer.status_code] += 1

    holds()
    assert statuses[200] > 20
    assert set(statuses) <= {200, 422}


def test_every_operation_is_among_those_that_are_tried(api: Any) -> None:
    assert {result.ok().label for result in api.get_all_operations()} == {
        "POST /synthetic/generate", "POST /synthetic/batch/generate", "GET /synthetic/optimizers",
        "GET /synthetic/optimizers/{name}", "GET /synthetic/health",
    }  # fmt: skip
