"""MLflow traces of a share of the samples, nested, and of no other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from synth_dspy.records import digest
from tests.commandline import environment, overrides, run
from tests.commands.conftest import CONFIG, PAGE

READ = """
import json, sys
import mlflow
mlflow.set_tracking_uri("sqlite:///outputs/mlflow.db")
experiment = mlflow.get_experiment_by_name("small")
traces = mlflow.search_traces(experiment_ids=[experiment.experiment_id], return_type="list")
print(json.dumps([
    {"stage": t.info.tags["stage"], "session": t.info.trace_metadata["mlflow.trace.session"],
     "spans": [[s.name, s.span_id, s.parent_id] for s in t.data.spans]}
    for t in traces
]))
"""


def sampled(ids: list[str], rate: float) -> set[str]:
    return {i for i in ids if int(digest(42, "trace", i)[:8], 16) / 16**8 < rate}


def test_a_sampled_share_of_the_samples_is_traced_call_within_step_within_stage(
    tmp_path: Path, sandbox_backend: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "rain.md").write_text(PAGE)
    (tmp_path / "config.yaml").write_text(CONFIG.replace("BACKEND", sandbox_backend))
    rate = 0.5
    settings = overrides(tracking__enabled="true", tracking__sample_rate=rate)
    result = run("pipeline", "--skip-analysis", "--config", "config.yaml", *settings, cwd=tmp_path)
    assert result.code == 0, result.err
    lines = (tmp_path / "outputs/small/generated/journal.jsonl").read_text().splitlines()
    made = [o["task"]["id"] for line in lines for o in json.loads(line).get("outputs", ())]
    done = subprocess.run(
        [sys.executable, "-c", READ], cwd=tmp_path, env=environment(), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    traces = json.loads(done.stdout)
    finished = {t["session"] for t in traces if t["stage"] == "classify"}
    assert finished == sampled(made, rate)
    curate = next(t for t in traces if t["stage"] == "curate")
    parents = {name: parent for name, _, parent in curate["spans"]}
    ids = {span: name for name, span, _ in curate["spans"]}
    assert ids[parents["EndpointLM.__call__"]] == "Predict.forward"
    assert ids[parents["Predict.forward"]] == "SampleJudge.forward"
    assert ids[parents["SampleJudge.forward"]].startswith("curate ")


def test_which_samples_are_traced_depends_on_their_tasks_alone() -> None:
    ids = [f"{n:016x}" for n in range(2000)]
    few, more = sampled(ids, 0.1), sampled(ids, 0.2)
    assert few < more
    assert 120 < len(few) < 280
