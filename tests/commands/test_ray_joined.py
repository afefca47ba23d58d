"""Whole runs on a cluster that is joined: every recipe's dataset, traces, limits of all workers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commandline import QUICKSTART, environment, overrides, run
from tests.commands.conftest import CONFIG, PAGE
from tests.commands.ray_projects import CONCURRENCY, Joined, Project, a_cluster
from tests.commands.test_endpoints import Served
from tests.loopback import Loopback, Prompt
from tests.optimize.test_tracing import READ, sampled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONFIGS = QUICKSTART.parent.parent
SMALL = {
    "rows": overrides(rows__samples=12),
    "conversations": overrides(conversations__num_conversations=30, conversations__top_k=12),
    "routing": overrides(routing__count=40),
}


class Timed(Served):
    """The offline model over HTTP, which notes when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def __call__(self, prompt: Prompt) -> str:
        self.times.append(time.monotonic())
        return super().__call__(prompt)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Joined]:
    with a_cluster() as joined:
        yield joined


@pytest.fixture
def model() -> Timed:
    return Timed()


@pytest.fixture
def project(tmp_path: Path, sandbox_backend: str, model: Timed) -> Iterator[Project]:
    with Loopback(model, latency_s=0.05) as server:
        yield Project(tmp_path, server, sandbox_backend)


def on(cluster: Joined, project: Project, **settings: object) -> tuple[int, str]:
    """The project's pipeline on the cluster."""
    return cluster.run(*project.arguments(**settings), cwd=project.cwd)


def test_a_run_on_ray_makes_the_bytes_of_a_local_one_and_asks_nothing_twice(
    cluster: Joined, project: Project, tmp_path: Path
) -> None:
    code, said = on(cluster, project)
    assert code == 0, said
    made, in_flight, repeated = project.dataset(), project.server.max_in_flight, project.repeated()
    (tmp_path / "local").mkdir()
    with Loopback(Served()) as server:
        local = Project(tmp_path / "local", server, project.backend)
        code, said = local.run()
        assert code == 0, said
        assert (made, repeated) == (local.dataset(), 0)
    assert in_flight <= CONCURRENCY
    assert cluster.answers()


@pytest.mark.parametrize("recipe", list(SMALL))
def test_a_recipe_makes_the_files_of_a_local_run_on_ray(
    cluster: Joined, tmp_path: Path, recipe: str
) -> None:
    pipeline = [
        "pipeline", "--skip-analysis", "--config", str(CONFIGS / f"{recipe}.yaml"),
        *overrides(tracking__enabled="false", output_dir="run"), *SMALL[recipe],
    ]  # fmt: skip
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    local = run(*pipeline, cwd=here)
    assert local.code == 0, local.err
    code, said = cluster.run(*pipeline, cwd=there)
    assert code == 0, said
    assert finished(there) == finished(here)
    assert any(name.endswith(".parquet") for name in finished(here))


def finished(cwd: Path) -> dict[str, bytes]:
    """Every file that a run left for its user, by name, but the card, which says what it cost."""
    final = cwd / "run" / "final"
    left = [path for path in final.rglob("*") if path.is_file() and path.parent != final]
    left += [path for path in cwd.iterdir() if path.is_file()]
    return {str(path.relative_to(cwd)): path.read_bytes() for path in left}


def test_workers_trace_the_share_of_the_samples_that_is_asked_for(
    cluster: Joined, tmp_path: Path, sandbox_backend: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "rain.md").write_text(PAGE)
    (tmp_path / "config.yaml").write_text(CONFIG.replace("BACKEND", sandbox_backend))
    rate = 0.5
    tracking = overrides(tracking__enabled="true", tracking__sample_rate=rate)
    pipeline = ("pipeline", "--skip-analysis", "--config", "config.yaml", *tracking)
    code, said = cluster.run(*pipeline, cwd=tmp_path)
    assert code == 0, said
    lines = (tmp_path / "outputs/small/generated/journal.jsonl").read_text().splitlines()
    made = [o["task"]["id"] for line in lines for o in json.loads(line).get("outputs", ())]
    read = subprocess.run(
        [sys.executable, "-c", READ], cwd=tmp_path, env=environment(), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    finished = {t["session"] for t in json.loads(read.stdout) if t["stage"] == "classify"}
    assert finished == sampled(made, rate)


def test_requests_a_minute_hold_for_all_workers_together(
    cluster: Joined, project: Project, model: Timed
) -> None:
    a_minute = 1200
    endpoint = (
        f"[{{name: all, base_url: '{project.server.url}', model_name: m, "
        f"requests_per_minute: {a_minute}}}]"
    )
    code, said = on(cluster, project, models__endpoints=endpoint, generation__target_samples=2)
    assert code in (0, 1), said
    span_s = max(model.times) - min(model.times)
    assert len(model.times) > 20
    # Evenly spread: one at once, and then one every twentieth of a second; 1 s for how they travel.
    assert len(model.times) <= 1 + (span_s + 1) * a_minute / 60


def test_a_budget_holds_for_all_workers_together(cluster: Joined, project: Project) -> None:
    tokens, a_call = 20_000, 120  # the server reports 100 + 20 for each
    code, said = on(cluster, project, generation__max_tokens_total=tokens)
    assert code == 1, said
    assert "The budget is reached" in said
    assert project.server.count * a_call <= tokens
