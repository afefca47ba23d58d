"""The OpenAPI document: an example at each request and answer, and every one of them true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from synth_dspy.config import Config
from synth_dspy.programs.routing.registry import get_optimizer_config
from synth_dspy.service import SyntheticDataService, create_app, examples

GENERATE = "/synthetic/generate"


def app(run_dir: Path, **serving: Any) -> Any:
    return create_app(
        SyntheticDataService(
            Config.model_validate({
                "recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(run_dir),
                "routing": {"serving": serving},
            })
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of a service without a key."""
    found: dict[str, Any] = app(tmp_path_factory.mktemp("service")).openapi()
    return found


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON request body and answer, with where it is."""
    for name, operation in operations(document):
        if "requestBody" in operation:
            yield f"{name}, request", operation["requestBody"]["content"]["application/json"]
        for status, answer in operation["responses"].items():
            yield f"{name}, {status}", answer["content"]["application/json"]


def shown(body: Mapping[str, Any]) -> list[Any]:
    several = [one["value"] for one in body.get("examples", {}).values()]
    return several or ([body["example"]] if "example" in body else [])


def keys(answer: Mapping[str, Any]) -> list[list[str]]:
    """Of an answer, its metadata, its first row and what that row says of its modality."""
    row = answer["data"][0]
    return [list(part) for part in (answer, answer["metadata"], row, row["modality_features"])]


def test_every_request_and_answer_has_an_example(document: dict[str, Any]) -> None:
    found = list(bodies(document))
    assert len(found) > len(document["paths"])
    assert [where for where, body in found if not shown(body)] == []


def test_every_parameter_has_a_description_and_an_example(document: dict[str, Any]) -> None:
    bare = [
        (name, parameter["name"])
        for name, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter["schema"].get("examples") or not parameter.get("description")
    ]
    assert bare == []


def test_every_example_is_of_its_schema(document: dict[str, Any]) -> None:
    for where, body in bodies(document):
        schema = {**body["schema"], "components": document["components"]}
        for example in shown(body):
            assert not list(Draft202012Validator(schema).iter_errors(example)), where


def test_every_parameters_example_is_of_its_schema(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            for example in parameter["schema"]["examples"]:
                faults = Draft202012Validator(parameter["schema"]).iter_errors(example)
                assert not list(faults), (name, parameter["name"])


def test_the_example_rows_are_of_the_optimizer_that_they_are_shown_for() -> None:
    for made in (examples.MADE, examples.BATCHES):
        schema = get_optimizer_config(str(made["optimizer"])).schema
        assert schema.__name__ == made["schema_name"]
        assert [schema.model_validate(row) for row in made["data"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "order", "example"),
    [
        (GENERATE, {"optimizer": "modality", "count": 2}, examples.MADE),
        ("/synthetic/batch/generate?optimizer=modality&count_per_batch=1&num_batches=2", None,
         examples.BATCHES),
    ],
)  # fmt: skip
def test_an_answer_has_what_its_example_has(
    tmp_path: Path, url: str, order: Any, example: dict[str, Any]
) -> None:
    with TestClient(app(tmp_path)) as client:
        answer = client.post(url, json=order).json()
    assert keys(answer) == keys(example)


@pytest.mark.parametrize(
    ("url", "example"),
    [
        ("/synthetic/optimizers", examples.OPTIMIZERS),
        ("/synthetic/health", examples.HEALTH),
    ],
)
def test_what_is_listed_is_as_its_example(tmp_path: Path, url: str, example: Any) -> None:
    with TestClient(app(tmp_path)) as client:
        assert client.get(url).json() == example


@pytest.mark.parametrize("order", examples.ORDERS)
def test_the_orders_that_are_shown_are_served(tmp_path: Path, order: str) -> None:
    value = examples.ORDERS[order]["value"]
    with TestClient(app(tmp_path)) as client:
        answer = client.post(GENERATE, json=value)
    assert (answer.status_code, answer.json()["count"]) == (200, value["count"])


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, {"content": b"{"}),
        (401, {"headers": {"X-API-Key": ""}}),
        (403, {"headers": {"X-API-Key": "wrong"}}),
        (404, {"json": {"optimizer": "nope"}}),
        (413, {"content": b" " * 70_000}),
        (422, {"json": {"optimizer": "modality", "count": 0}}),
    ],
)
def test_a_refusal_says_what_its_example_says(tmp_path: Path, status: int, sent: Any) -> None:
    headers = {"X-API-Key": "right", "content-type": "application/json", **sent.pop("headers", {})}
    with TestClient(app(tmp_path, api_key="right")) as client:
        answer = client.post(GENERATE, headers=headers, **sent)
    assert (answer.status_code, answer.json()["detail"]) == (status, examples.FAULTS[status])


def test_too_many_requests_are_told_as_in_the_example(tmp_path: Path) -> None:
    with TestClient(app(tmp_path)) as client:
        answers = [client.get("/synthetic/optimizers") for _ in range(320)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    told, example = (re.sub(r"[\d.]+ s", "_", text) for text in (
        refused.json()["detail"], examples.FAULTS[429],
    ))  # fmt: skip
    assert told == example


def test_a_key_is_asked_for_by_the_document_where_one_is_needed(tmp_path: Path) -> None:
    document = app(tmp_path, api_key="right").openapi()
    (name,) = document["components"]["securitySchemes"]
    wanted = {where: operation.get("security") for where, operation in operations(document)}
    assert wanted.pop("GET /synthetic/health") is None
    assert list(wanted.values()) == [[{name: []}]] * 4


def test_no_key_is_asked_for_by_the_document_where_none_is_needed(
    document: dict[str, Any],
) -> None:
    assert "securitySchemes" not in document["components"]
