"""The `routing` recipe by the command line: whole, killed, short, and its content."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.commandline import ROOT, command, environment, overrides, run
from tests.commands.test_kill import chaos, parquet

CONFIG = str(ROOT / "configs" / "routing.yaml")
QUIET = overrides(tracking__enabled=False)


def pipeline(cwd: Path, *arguments: str) -> list[str]:
    return ["pipeline", "--config", CONFIG, *QUIET, *arguments]


@pytest.mark.parametrize("optimizer", ["routing", "cross_modal"])
def test_the_shipped_configuration_makes_a_dataset_of_the_schemas_columns(
    tmp_path: Path, optimizer: str
) -> None:
    settings = overrides(routing__optimizer=optimizer, routing__count=40)
    result = run(*pipeline(tmp_path, *settings), cwd=tmp_path)
    assert result.code == 0, result.err
    assert f"40 examples for {optimizer}" in result.err
    assert "nanobind" not in result.err
    from datasets import load_from_disk

    from synth_dspy.programs.routing.registry import OPTIMIZER_REGISTRY

    found = load_from_disk(str(tmp_path / "outputs" / "routing" / "final"))
    assert sum(map(len, found.values())) == 40
    fields = list(OPTIMIZER_REGISTRY[optimizer].schema.model_fields)
    assert all(split.column_names == fields for split in found.values())
    card = (tmp_path / "outputs" / "routing" / "final" / "README.md").read_text()
    assert "Every number is synthetic" in card


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    first = run(*pipeline(tmp_path), cwd=tmp_path)
    before = parquet(tmp_path / "outputs" / "routing")
    second = run(*pipeline(tmp_path), cwd=tmp_path)
    assert (first.code, second.code) == (0, 0), second.err
    assert "2 batches in | 2 kept as 200 | 0 dropped | 0 failed | 0 new, 2 cached" in second.err
    assert parquet(tmp_path / "outputs" / "routing") == before


def test_a_killed_run_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    settings = overrides(routing__count=2000, routing__queries_per_call=20)
    whole = run(*pipeline(tmp_path, *settings), cwd=tmp_path)
    assert whole.code == 0, whole.err
    elsewhere = overrides(output_dir=tmp_path / "killed")
    arguments = pipeline(tmp_path, *settings, *elsewhere)
    result, moments = chaos(arguments, tmp_path, kills=3, span_s=6.0)
    assert result.code == 0, result.err
    expected = parquet(tmp_path / "outputs" / "routing")
    assert parquet(tmp_path / "killed") == expected, f"killed after {moments}"


def test_content_that_bears_fewer_ends_short_with_a_table(tmp_path: Path) -> None:
    settings = overrides(
        routing__optimizer="modality", routing__count=10_000, routing__sample_size=1
    )
    result = run(*pipeline(tmp_path, *settings), cwd=tmp_path)
    assert result.code == 1
    assert "the sampled content bears no other query" in result.err


def test_an_unknown_optimizer_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    result = run(*pipeline(tmp_path, *overrides(routing__optimizer="x")), cwd=tmp_path)
    assert result.code == 2
    assert "There is no optimizer 'x'; there are modality, " in result.err
    assert not (tmp_path / "outputs").exists()


def test_missing_content_says_how_to_make_it(tmp_path: Path) -> None:
    settings = overrides(routing__backend__path=tmp_path / "none.duckdb")
    result = run(*pipeline(tmp_path, *settings), cwd=tmp_path)
    assert result.code == 2
    assert "content load --output" in result.err


def test_stages_run_one_after_the_other(tmp_path: Path) -> None:
    names = ("sample-content", "select-profiles", "plan-examples", "generate-examples", "export")
    for name in names:
        result = run(name, "--config", CONFIG, *QUIET, cwd=tmp_path)
        assert result.code == 0, result.err
    assert parquet(tmp_path / "outputs" / "routing")


def test_parsed_documents_become_content_to_sample(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tarn.md").write_text(
        "# Tarn River\n\nThe Tarn River flows past Mill Pond to the Alder Bridge.\n\n"
        "## Flood of Mill Pond\n\nIn 2023 the flood at Mill Pond reached the Alder Bridge.\n"
    )
    (tmp_path / "c.yaml").write_text("dataset: {name: c}\nsources: [{path: docs}]\n")
    assert run("parse", "--config", "c.yaml", cwd=tmp_path).code == 0
    loaded = run("content", "load", "--config", "c.yaml", "--json", cwd=tmp_path)
    assert loaded.code == 0, loaded.err
    assert json.loads(loaded.out) == {"records": 2, "documents": 1, "path": "content.duckdb"}
    settings = overrides(routing__backend__path=tmp_path / "content.duckdb", routing__count=6)
    made = run(*pipeline(tmp_path, *settings), cwd=tmp_path)
    assert made.code == 0, made.err


def test_content_of_nothing_parsed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "c.yaml").write_text("dataset: {name: c}\nsources: [{path: docs}]\n")
    assert run("content", "load", "--config", "c.yaml", cwd=tmp_path).code == 2


def test_another_address_without_a_key_is_refused(tmp_path: Path) -> None:
    result = run("serve", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path)
    assert result.code == 2
    assert "which others can reach; set routing.serving.api_key" in result.err


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port), cwd=tmp_path)
    assert result.code == 2
    assert f"127.0.0.1:{port} cannot be listened at" in result.err


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_finishes_what_it_accepted(tmp_path: Path, sent: signal.Signals) -> None:
    import urllib.request
    from threading import Thread

    process = subprocess.Popen(
        command("serve", "--port", "0"), cwd=tmp_path, env=environment(),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("serving http://127.0.0.1:"), line
        url = line.split()[1]
        sizes: list[int] = []

        def ask(count: int) -> None:
            body = json.dumps({"optimizer": "routing", "count": count}).encode()
            headers = {"content-type": "application/json"}
            request = urllib.request.Request(f"{url}/generate", body, headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                sizes.append(json.load(answer)["count"])

        ask(1)
        log = json.loads(process.stderr.readline())
        assert (log["path"], log["status"]) == ("/synthetic/generate", 200)
        asking = Thread(target=ask, args=(5000,))
        asking.start()
        _accepted(process.pid)
        os.kill(process.pid, sent)
        asking.join(60)
        assert process.wait(60) == 0
        assert sizes == [1, 5000]
        assert "nanobind" not in process.stderr.read()
    finally:
        process.kill()


def _accepted(pid: int) -> None:
    """Wait until the server is at work: its CPU time has grown."""
    import time

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    start, deadline = ticks(), time.monotonic() + 30
    while ticks() - start < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
