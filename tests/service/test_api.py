"""The REST API: what is asked is what is given, and every wrong request says what is wrong."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from synth_dspy.config import Config, Generation
from synth_dspy.config.routing import Backend
from synth_dspy.errors import BackendError, BackendSlowError, ConfigError
from synth_dspy.service import (
    OPTIMIZER_REGISTRY,
    GenerateRequest,
    SyntheticDataService,
    configure_service,
    create_app,
    router,
)
from synth_dspy.sources.backends import Content, SampleOrder, open_backend

GENERATE, BATCH = "/synthetic/generate", "/synthetic/batch/generate"


def config(run_dir: Path, **routing: Any) -> Config:
    serving = {"requests_per_minute": 0, **routing.pop("serving", {})}
    return Config.model_validate({
        "recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(run_dir),
        "routing": {"serving": serving, **routing},
    })  # fmt: skip


@contextmanager
def serving(run_dir: Path, backend: Any = None, **routing: Any) -> Iterator[TestClient]:
    """A client of an app with these settings."""
    service = SyntheticDataService(config(run_dir, **routing), backend=backend)
    with TestClient(create_app(service)) as client:
        yield client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An app on the shipped content."""
    with serving(tmp_path_factory.mktemp("service")) as client:
        yield client


class Broken:
    """A backend that raises what it was made with."""

    name, described, fixed = "vespa", "nowhere", False

    def __init__(self, error: Exception, *, after_s: float = 0.0) -> None:
        self._error, self._after_s = error, after_s

    def sample(self, order: SampleOrder) -> list[Content]:
        time.sleep(self._after_s)
        raise self._error

    def version(self) -> str:
        raise self._error

    def close(self) -> None:
        pass


@pytest.mark.parametrize("name", OPTIMIZER_REGISTRY)
def test_every_optimizers_rows_build_its_schema(client: TestClient, name: str) -> None:
    answer = client.post(GENERATE, json={"optimizer": name, "count": 12}).json()
    schema = OPTIMIZER_REGISTRY[name].schema
    assert answer["schema_name"] == schema.__name__
    assert answer["count"] == len([schema(**row) for row in answer["data"]]) == 12
    assert answer["selected_profiles"]
    assert answer["profile_selection_reasoning"]


def test_metadata_names_backend_strategy_time_and_tenant(client: TestClient) -> None:
    order = {"optimizer": "modality", "count": 3, "strategies": ["diverse", "entity_rich"]}
    told = client.post(GENERATE, json=order).json()["metadata"]
    assert told["backend"] == "duckdb"
    assert told["content"] == "the shipped sample content"
    assert told["strategy"] == ["diverse", "entity_rich"]
    assert (told["tenant"], told["profiles"], told["agents"]) == ("default", "default", "default")
    assert told["seconds"] > 0


def test_equal_requests_get_equal_data(client: TestClient) -> None:
    order = {"optimizer": "routing", "count": 5, "seed": 3}
    once, again = (client.post(GENERATE, json=order).json()["data"] for _ in range(2))
    other = client.post(GENERATE, json={**order, "seed": 4}).json()["data"]
    assert once == again != other


def test_batches_are_exact_and_repeat_no_query(client: TestClient) -> None:
    url = f"{BATCH}?optimizer=workflow&count_per_batch=7&num_batches=3"
    answer = client.post(url).json()
    assert (answer["total_examples"], answer["num_batches"], answer["examples_per_batch"]) == (
        21, 3, 7,
    )  # fmt: skip
    assert [batch["start"] for batch in answer["batches"]] == [0, 7, 14]
    assert len({row["query"] for row in answer["data"]}) == 21


def test_optimizers_are_listed_and_described(client: TestClient) -> None:
    listed = client.get("/synthetic/optimizers").json()
    assert list(listed) == list(OPTIMIZER_REGISTRY)
    one = client.get("/synthetic/optimizers/cross_modal").json()
    assert one["generator"] == "CrossModalGenerator"
    assert one["backend_strategy"] == "cross_modal_pairs"
    assert "fusion_context" in one["schema"]["properties"]
    assert one["defaults"]["vespa_sample_size"] == 200


def test_health_names_generators_and_optimizers(client: TestClient) -> None:
    answer = client.get("/synthetic/health").json()
    assert answer["status"] == "ok"
    assert answer["optimizers"] == list(OPTIMIZER_REGISTRY)
    assert "RoutingGenerator" in answer["generators"]


@pytest.mark.parametrize("url", [GENERATE, "/synthetic/optimizers/nope", f"{BATCH}?optimizer=nope"])
def test_an_unknown_optimizer_is_404_with_the_known_names(client: TestClient, url: str) -> None:
    body = {"optimizer": "nope"} if url == GENERATE else None
    answer = client.get(url) if "optimizers/" in url else client.post(url, json=body)
    assert answer.status_code == 404
    assert "'nope'; there are modality, cross_modal" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 10_001}, "count"),
        ({"count": "many"}, "count"),
        ({"vespa_sample_size": 0}, "vespa_sample_size"),
        ({"max_profiles": 11}, "max_profiles"),
        ({"strategies": ["random"]}, "strategies"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_field_is_422_and_named(
    client: TestClient, more: dict[str, Any], field: str
) -> None:
    answer = client.post(GENERATE, json={"optimizer": "modality", **more})
    assert answer.status_code == 422
    assert any(field in fault["loc"] for fault in answer.json()["detail"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("count_per_batch=5&count_per_batch=6", "count_per_batch"),
        ("surprise=1", "surprise"),
        ("count_per_batch=0", "count_per_batch"),
        ("count_per_batch=5000&num_batches=3", "num_batches"),
        ("strategies=random", "strategies"),
    ],
)
def test_a_wrong_parameter_is_422_and_named(client: TestClient, query: str, field: str) -> None:
    answer = client.post(f"{BATCH}?optimizer=modality&{query}")
    assert answer.status_code == 422
    assert any(field in fault["loc"] for fault in answer.json()["detail"])


def test_two_values_of_one_key_are_422_and_named(client: TestClient) -> None:
    answer = client.post(GENERATE, content=b'{"optimizer": "modality", "count": 1, "count": 2}',
                         headers={"content-type": "application/json"})  # fmt: skip
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "count"]


def test_a_body_that_is_no_json_is_400(client: TestClient) -> None:
    answer = client.post(GENERATE, content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is not JSON.")


def test_a_tenant_without_content_is_422(client: TestClient) -> None:
    answer = client.post(GENERATE, json={"optimizer": "modality", "tenant_id": "nobody"})
    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert fault["loc"] == ["body", "tenant_id"]
    assert "no content of the tenant 'nobody'" in fault["msg"]


def test_more_than_the_content_bears_is_422_with_how_many(client: TestClient) -> None:
    order = {"optimizer": "modality", "count": 10_000, "vespa_sample_size": 1}
    answer = client.post(GENERATE, json=order)
    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert fault["loc"] == ["body", "count"]
    assert "different queries for 'modality', not 10000" in fault["msg"]


def test_profiles_that_cannot_serve_are_422(tmp_path: Path) -> None:
    profiles = {"sound": {"description": "Sound.", "modalities": ["AUDIO"]}}
    with serving(tmp_path, profiles=profiles) as client:
        answer = client.post(GENERATE, json={"optimizer": "cross_modal", "max_profiles": 1})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "max_profiles"]


def test_a_backend_that_is_down_is_503_with_its_remedy(tmp_path: Path) -> None:
    broken = Broken(BackendError("Vespa does not answer. Start one (docker run ...)."))
    with serving(tmp_path, broken) as client:
        answer = client.post(GENERATE, json={"optimizer": "modality"})
        health = client.get("/synthetic/health").json()
    assert answer.status_code == 503
    assert "Start one (docker run" in answer.json()["detail"]
    assert (health["status"], "docker run" in health["backend"]) == ("degraded", True)


def test_a_backend_that_is_slow_is_504(tmp_path: Path) -> None:
    with serving(tmp_path, Broken(BackendSlowError("It did not answer within 1 s."))) as client:
        answer = client.post(GENERATE, json={"optimizer": "modality"})
    assert answer.status_code == 504


def test_a_request_that_takes_too_long_is_504(tmp_path: Path) -> None:
    slow = Broken(BackendError("late"), after_s=0.4)
    with serving(tmp_path, slow, serving={"timeout": 0.05}) as client:
        answer = client.post(GENERATE, json={"optimizer": "modality"})
    assert answer.status_code == 504
    assert "within 0.05 s" in answer.json()["detail"]


def test_a_model_that_is_down_is_503(tmp_path: Path) -> None:
    endpoint = {"name": "m", "model_name": "m", "base_url": "http://127.0.0.1:9/v1",
                "max_retries": 0}  # fmt: skip
    made = Config.model_validate({
        "recipe": "routing", "dataset": {"name": "t"}, "output_dir": str(tmp_path),
        "models": {"endpoints": [endpoint]},
    })  # fmt: skip
    with TestClient(create_app(SyntheticDataService(made))) as client:
        answer = client.post(GENERATE, json={"optimizer": "modality", "count": 2})
    assert answer.status_code == 503


def test_a_large_body_is_413_however_it_is_sent(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 1024

    for content in (b" " * 80_000, chunks()):
        answer = client.post(GENERATE, content=content)
        assert answer.status_code == 413
        assert "longer than 65536 bytes" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 403),
        ({"X-API-Key": "right"}, 200),
        ({"Authorization": "Bearer right"}, 200),
    ],
)
def test_a_key_is_asked_for(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with serving(tmp_path, serving={"api_key": "right"}) as client:
        assert client.get("/synthetic/optimizers", headers=headers).status_code == status
        assert client.get("/synthetic/health").status_code == 200


def test_another_address_without_a_key_is_refused(tmp_path: Path) -> None:
    service = SyntheticDataService(config(tmp_path, serving={"host": "0.0.0.0"}))
    with pytest.raises(ConfigError, match=r"which others can reach; set routing\.serving\.api_key"):
        create_app(service)


def test_too_many_requests_are_429_with_when_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path, serving={"requests_per_minute": 8}) as client:
        answers = [client.get("/synthetic/optimizers") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_request_has_an_id_its_own_or_a_new_one(client: TestClient) -> None:
    own = client.get("/synthetic/health", headers={"X-Request-ID": "my-id.7"})
    new = client.get("/synthetic/health", headers={"X-Request-ID": "no id\t!"})
    assert own.headers["x-request-id"] == "my-id.7"
    assert len(new.headers["x-request-id"]) == 32


def test_the_router_mounts_in_an_app_of_the_users_own(tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(router)
    configure_service(SyntheticDataService(config(tmp_path)))
    answer = TestClient(app).post(GENERATE, json={"optimizer": "modality", "count": 2})
    assert answer.json()["count"] == 2


def test_requests_at_once_do_not_mix(client: TestClient) -> None:
    answers: dict[int, Any] = {}

    def ask(seed: int) -> None:
        order = {"optimizer": "routing", "count": 20, "seed": seed}
        answers[seed] = client.post(GENERATE, json=order).json()["data"]

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, data in answers.items():
        order = {"optimizer": "routing", "count": 20, "seed": seed}
        assert client.post(GENERATE, json=order).json()["data"] == data


def test_many_requests_at_once_are_answered_in_one_event_loop_after_another(
    tmp_path: Path,
) -> None:
    service = SyntheticDataService(config(tmp_path))
    turns = 2 * service.config.generation.llm_concurrency

    async def together() -> list[int]:
        orders = [GenerateRequest(optimizer="modality", count=1, seed=n) for n in range(2 * turns)]
        return [made.count for made in await asyncio.gather(*map(service.generate, orders))]

    assert asyncio.run(together()) == asyncio.run(together()) == [1] * 2 * turns


@pytest.mark.anyio
async def test_what_requests_draw_is_held_by_those_whose_turn_it_is_alone(tmp_path: Path) -> None:
    drawn, done, held, inner = list[int](), list[int](), list[int](), open_backend(Backend())

    class Counting:
        name, described, fixed = "vespa", "counting", False
        version, close = inner.version, inner.close

        def sample(self, order: SampleOrder) -> list[Content]:
            drawn.append(order.seed)
            held.append(len(drawn) - len(done))
            return inner.sample(order)

    async def one(seed: int) -> None:
        await service.generate(GenerateRequest(optimizer="modality", count=1, seed=seed))
        done.append(seed)

    asked = config(tmp_path).model_copy(update={"generation": Generation(llm_concurrency=1)})
    async with SyntheticDataService(asked, backend=Counting()) as service:
        await asyncio.gather(*map(one, range(12)))
    assert len(held) == 12
    assert max(held) <= 2


@pytest.mark.anyio
async def test_what_a_request_gets_does_not_depend_on_those_before(tmp_path: Path) -> None:
    orders = [
        GenerateRequest(optimizer=name, count=4, **more)
        for name in ("modality", "workflow")
        for more in ({}, {"max_profiles": 1}, {"vespa_sample_size": 9}, {"strategies": ["diverse"]})
    ]
    alone = []
    for order in orders:
        async with SyntheticDataService(config(tmp_path)) as fresh:
            alone.append((await fresh.generate(order)).data)
    async with SyntheticDataService(config(tmp_path)) as used:
        assert [(await used.generate(order)).data for order in orders * 2] == alone * 2


@pytest.mark.anyio
async def test_the_service_works_without_http(tmp_path: Path) -> None:
    async with SyntheticDataService(config(tmp_path)) as service:
        answer = await service.generate(GenerateRequest(optimizer="unified", count=4))
    assert answer.count == len(answer.data) == 4


@pytest.mark.anyio
@pytest.mark.parametrize(("fixed", "times"), [(False, 2), (True, 1)])
async def test_only_content_that_may_change_is_asked_for_again(
    tmp_path: Path, fixed: bool, times: int
) -> None:
    class Counting:
        name, described = "vespa", "counting"
        asked = 0

        def __init__(self) -> None:
            self.fixed = fixed
            self.inner = open_backend(Backend())
            self.version: Callable[[], str] = self.inner.version
            self.close: Callable[[], None] = self.inner.close

        def sample(self, order: SampleOrder) -> list[Content]:
            self.asked += 1
            return self.inner.sample(order)

    backend = Counting()
    async with SyntheticDataService(config(tmp_path), backend=backend) as service:
        for _ in range(2):
            await service.generate(GenerateRequest(optimizer="modality", count=2))
    assert backend.asked == times


def test_asking_for_health_takes_one_thread_however_many_ask(tmp_path: Path) -> None:
    asked, inner = list[float](), open_backend(Backend())

    class Slow:
        name, described, fixed = inner.name, inner.described, inner.fixed

        def version(self) -> str:
            asked.append(time.monotonic())
            time.sleep(0.2)
            return inner.version()

        def close(self) -> None:
            inner.close()

    slow: Any = Slow()
    service = SyntheticDataService(config(tmp_path), backend=slow)

    async def all_at_once() -> None:
        async with service:
            await asyncio.gather(*(service.check_backend() for _ in range(50)))

    asyncio.run(all_at_once())
    assert len(asked) == 1
