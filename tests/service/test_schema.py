"""Schemathesis: whatever the OpenAPI document allows, and what it does not, is no 500."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import positive_data_acceptance

from synth_dspy.config import Config
from synth_dspy.service import SyntheticDataService, create_app


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The app's OpenAPI document, with the app behind it."""
    run_dir: Path = tmp_path_factory.mktemp("service")
    config = Config.model_validate({
        "recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(run_dir),
        "routing": {"serving": {"requests_per_minute": 0}},
    })  # fmt: skip
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(SyntheticDataService(config)))


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


def test_every_operation_is_among_those_that_are_tried(api: Any) -> None:
    assert {result.ok().label for result in api.get_all_operations()} == {
        "POST /synthetic/generate", "POST /synthetic/batch/generate", "GET /synthetic/optimizers",
        "GET /synthetic/optimizers/{name}", "GET /synthetic/health",
    }  # fmt: skip
