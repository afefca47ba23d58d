"""The whole `generate` path against a server that misbehaves: every record is accounted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import QUICKSTART, Result, overrides, run
from tests.commands.conftest import CONFIG
from tests.commands.test_endpoints import Served
from tests.loopback import Loopback, Prompt

FAULTS = {"429": 0.05, "500": 0.03, "malformed": 0.02}
STAGES = ("planned", "filtered_candidates", "answered", "curated", "generated")


class Patient(Served):
    """The offline model over HTTP, which answers a correction as it answered the first time."""

    def __call__(self, prompt: Prompt) -> str:
        messages = prompt.body["messages"]
        while str(messages[-1]["content"]).startswith("Your reply could not be used"):
            messages = messages[:-2]
        return super().__call__(replace(prompt, body={**prompt.body, "messages": messages}))


def generate(cwd: Path, server: Loopback, backend: str, *extra: str) -> Result:
    endpoint = f"[{{name: all, base_url: '{server.url}', model_name: m, retry_delay: 0.2}}]"
    settings = overrides(
        models__endpoints=endpoint,
        sources=f"[{{path: '{QUICKSTART.parent / 'docs'}'}}]",
        generation__target_samples=40,
        generation__type_allocations="{qa: {ratio: 0.6, multimodal_ratio: 0.3}, "
        "caption: {ratio: 0.2}, summary: {ratio: 0.2}}",
        generation__llm_concurrency=32,
    )
    (cwd / "config.yaml").write_text(CONFIG.replace("BACKEND", backend))
    arguments = ("pipeline", "--skip-analysis", "--config", "config.yaml", *settings, *extra)
    return run(*arguments, cwd=cwd)


def summaries(run_dir: Path) -> dict[str, dict[str, Any]]:
    return {s: json.loads((run_dir / s / "summary.json").read_text()) for s in STAGES}


@pytest.mark.slow
def test_a_run_with_faults_accounts_for_every_record_and_makes_the_same_dataset(
    tmp_path: Path, sandbox_backend: str
) -> None:
    rows, served = {}, Patient()
    for name, faults in (("plain", {}), ("faulty", FAULTS)):
        cwd = tmp_path / name
        cwd.mkdir()
        with Loopback(served, faults=faults, seed=5, latency_s=0.05, retry_after_s=1.0) as server:
            result = generate(cwd, server, sandbox_backend)
            dealt = dict(server.dealt)
        assert result.code in (0, 1), result.err
        assert "Traceback" not in result.err
        run_dir = cwd / "outputs" / "small"
        for stage, summary in summaries(run_dir).items():
            dropped = sum(summary["dropped"].values())
            assert summary["in"] == summary["kept"] + dropped + summary["failed"], stage
            assert summary["failed"] == 0, (stage, summary["failures"])
        rows[name] = {p.name: p.read_bytes() for p in (run_dir / "final" / "data").iterdir()}
    assert set(dealt) == set(FAULTS)
    assert rows["faulty"] == rows["plain"]


@pytest.mark.slow
def test_records_that_fail_for_good_are_listed_and_a_later_run_tries_them_again(
    tmp_path: Path, sandbox_backend: str
) -> None:
    bad = overrides(models__endpoints__0__max_retries=0)
    with Loopback(Patient(), faults={"500": 0.25}, seed=2) as server:
        first = generate(tmp_path, server, sandbox_backend, *bad)
        assert first.code in (0, 1), first.err
        found = summaries(tmp_path / "outputs" / "small")
        failed = sum(summary["failed"] for summary in found.values())
        assert failed > 0
        assert all(set(s["failures"]) <= {"server_error"} for s in found.values())
        listed = run("inspect", "--stage", "plan", "--failed", "--json", "--config", "config.yaml",
                     cwd=tmp_path).out.splitlines()  # fmt: skip
        assert len(listed) == found["planned"]["failed"]
        server.faults = {}
        second = generate(tmp_path, server, sandbox_backend)
    assert second.code in (0, 1), second.err
    again = summaries(tmp_path / "outputs" / "small")
    assert sum(summary["failed"] for summary in again.values()) == 0
