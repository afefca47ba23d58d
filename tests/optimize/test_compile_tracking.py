"""What MLflow is told of a compilation: on the local store, and on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import orjson
import pytest

from synth_dspy.config import Config
from synth_dspy.optimize.compile_records import Compiled
from synth_dspy.optimize.compile_tracking import ALIAS, CompileLog
from synth_dspy.optimize.gold import gold_step
from synth_dspy.optimize.tracking import log_run
from synth_dspy.store.run_directory import write_json
from tests.dataset import browser
from tests.optimize.made import compiled

STEP = gold_step("classify")


def config(uri: str, *, enabled: bool = True) -> Config:
    tracking = {"enabled": enabled, "uri": uri}
    return Config.model_validate(
        {"sources": [{"path": "docs"}], "dataset": {"name": "tracked"}, "tracking": tracking}
    )


def logged(folder: Path, uri: str, optimizer: str = "bootstrap_random") -> tuple[Compiled, str]:
    said: list[str] = []
    with CompileLog(config(uri), STEP, optimizer, said.append) as log:
        done = compiled(folder, optimizer, mlflow_run=log.run_id)
        log.write(done)
    assert not said
    return done, log.run_id


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, str, Any]:
    folder = tmp_path_factory.mktemp("tracking")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        uri = f"sqlite:///{folder}/outputs/mlflow.db"
        done, run = logged(folder, uri)
    return done, run, mlflow.MlflowClient(uri)


Local = tuple[Compiled, str, Any]


def test_a_compilation_is_one_run_with_parameters_and_scores(local: Local) -> None:
    done, run_id, client = local
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["optimizer"] == "bootstrap_random"
    assert run.data.params["gold_sha256"] == done.order.gold.sha256
    metrics = run.data.metrics
    assert metrics["compiled.heldout.score"] > metrics["baseline.heldout.score"]
    assert metrics["gain_low"] == pytest.approx(done.interval.low)
    assert metrics["llm_calls"] == done.calls
    assert {"compiled.heldout.macro_f1", "compiled.heldout.kappa", "tokens", "cost_usd"} <= set(
        metrics
    )


def test_the_artefact_lies_there_as_the_json_that_it_is(local: Local, tmp_path: Path) -> None:
    done, run_id, client = local
    path = f"artefact/{done.artefact.sha256}.json"
    there = Path(client.download_artifacts(run_id, path, str(tmp_path)))
    assert there.read_bytes() == Path(done.path).read_bytes()


def test_the_prompt_is_there_before_and_after_and_a_row_a_class(
    local: Local, tmp_path: Path
) -> None:
    done, run_id, client = local
    texts = [
        Path(client.download_artifacts(run_id, name, str(tmp_path))).read_text()
        for name in ("prompt_before.txt", "prompt_after.txt", "classes.json")
    ]
    assert (texts[0], texts[1]) == done.prompts
    labels = [row[1] for row in orjson.loads(texts[2])["data"]]
    assert sorted(labels) == ["data", "data", "network", "network"]


def test_candidates_are_runs_below_it(local: Local) -> None:
    done, run_id, client = local
    experiment = client.get_run(run_id).info.experiment_id
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run_id}'")
    assert len(children) == len(done.candidates)
    assert all("validation.score" in child.data.metrics for child in children)


def test_the_gold_of_every_split_is_its_input(local: Local) -> None:
    _, run_id, client = local
    inputs = client.get_run(run_id).inputs.dataset_inputs
    assert {one.dataset.name for one in inputs} == {
        "gold-classify-train", "gold-classify-validation", "gold-classify-heldout",
    }  # fmt: skip


def test_the_promoted_prompt_is_in_the_registry_under_its_alias(local: Local) -> None:
    done, run_id, client = local
    version = client.get_prompt_version_by_alias("assistant-classify", ALIAS)
    assert version.template == done.prompts[1]
    assert version.tags["sha256"] == done.artefact.sha256
    assert version.tags["run_id"] == run_id


def test_nothing_that_was_logged_is_a_pickle(local: Local) -> None:
    _, run_id, client = local
    names = [found.path for found in client.list_artifacts(run_id)]
    names += [found.path for found in client.list_artifacts(run_id, "artefact")]
    assert all(name == "artefact" or name.endswith((".json", ".txt")) for name in names)


def test_where_tracking_is_off_nothing_is_logged(tmp_path: Path) -> None:
    store = tmp_path / "mlflow.db"
    with CompileLog(config(f"sqlite:///{store}", enabled=False), STEP, "labeled", print) as log:
        assert log.run_id == ""
    assert log.where == ""
    assert not store.exists()


def test_a_compilation_that_fails_ends_its_run_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/outputs/mlflow.db"
    with (
        pytest.raises(KeyboardInterrupt),
        CompileLog(config(uri), STEP, "labeled", lambda line: None) as log,
    ):
        raise KeyboardInterrupt
    assert mlflow.MlflowClient(uri).get_run(log.run_id).info.status == "FAILED"


def test_a_server_that_is_away_is_said_and_the_compilation_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said: list[str] = []
    with CompileLog(config("http://127.0.0.1:9"), STEP, "labeled", said.append) as log:
        assert log.run_id == ""
        log.write(compiled(tmp_path, "labeled"))
    assert len(said) == 1
    assert "not logged" in said[0]


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """A real MLflow server with a store of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--backend-store-uri", f"sqlite:///{folder}/server.db", "--workers", "1",
            "--artifacts-destination", str(folder / "artefacts"),
        ],
        cwd=folder,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{url}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.mark.slow
def test_a_server_shows_the_run_in_a_browser(tmp_path: Path) -> None:
    if browser.found() is None:
        pytest.skip("no Chromium; get one (Debian: apt-get install chromium)")
    with server(tmp_path) as url:
        done, run_id = logged(tmp_path, url)
        client = mlflow.MlflowClient(url)
        run = client.get_run(run_id)
        assert run.data.metrics["gain_low"] == pytest.approx(done.interval.low)
        assert client.get_prompt_version_by_alias("assistant-classify", ALIAS).template
        assert {found.path for found in client.list_artifacts(run_id)} >= {"artefact"}
        page = f"{url}/#/experiments/{run.info.experiment_id}/runs/{run_id}"

        async def look() -> None:
            async with browser.opened(page) as shown:
                await shown.wait_for(
                    "document.body.innerText.includes('compile classify (bootstrap_random)')"
                )
                await shown.wait_for("document.body.innerText.includes('gain_low')")
                assert not shown.errors

        asyncio.run(look())


def test_a_dataset_run_links_to_the_programs_that_it_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_dir = tmp_path / "outputs" / "tracked"
    write_json(run_dir / "run.json", {"compiled": {"classify": {"sha256": "ab" * 32, "run": "r1"}}})
    uri = f"sqlite:///{tmp_path}/outputs/mlflow.db"
    assert log_run(config(uri), run_dir, say=print) == uri
    client = mlflow.MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'tracked'")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.tags["compiled.classify"] == "ab" * 32
    assert run.data.tags["compiled.classify.run"] == "r1"
