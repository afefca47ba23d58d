"""`rows --incremental-save`, killed and resumed: the very rows, in every file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pyarrow import parquet

from synth_dspy.dataset.row_columns import arrow_schema, read_csv
from synth_dspy.programs.row_formats import FORMATS
from synth_dspy.store.run_directory import read_jsonl
from tests.commandline import kill_group, run, started
from tests.commands.rows_model import triplets
from tests.loopback import Loopback

STEM = "synthetic_data_triplet_from_query"


def arguments(server: Loopback, samples: int) -> list[str]:
    """The command, without an analysis."""
    return [
        "rows", "--query", "rivers", "--format", "triplet", "--samples", str(samples),
        "--model", "m", "--base_url", server.url, "--incremental_save", "--skip-analysis",
        "--no-trace",
    ]  # fmt: skip


def rows_of(cwd: Path) -> list[dict[str, object]]:
    """The rows of the JSONL file, which must be those of the CSV and the Parquet file."""
    rows = list(read_jsonl(cwd / f"{STEM}.jsonl"))
    schema = arrow_schema(FORMATS["triplet"].model)
    assert list(read_csv(cwd / f"{STEM}.csv", schema)) == rows
    assert parquet.read_table(cwd / f"{STEM}.parquet").to_pylist() == rows
    return rows


def kill_after(cwd: Path, what: list[str], lines: int) -> int:
    """Start the command, kill it once its live file has so many lines; how many it then has."""
    process = started(*what, cwd=cwd)
    live, deadline = cwd / f"{STEM}.jsonl", time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if live.exists() and live.read_bytes().count(b"\n") >= lines:
            break
        time.sleep(0.01)
    assert process.poll() is None, "it ended before it could be killed"
    kill_group(process)
    return live.read_bytes().count(b"\n")


def unique(rows: list[dict[str, object]]) -> int:
    """How many rows differ in their texts."""
    return len({(row["anchor"], row["positive"], row["negative"]) for row in rows})


def test_a_killed_incremental_run_goes_on_to_the_rows_of_an_uninterrupted_one(
    tmp_path: Path,
) -> None:
    made = []
    for name in ("whole", "killed"):
        cwd = tmp_path / name
        cwd.mkdir()
        with Loopback(triplets) as server:
            what = arguments(server, 300)
            if name == "killed":
                assert 0 < kill_after(cwd, what, 20) < 300
            assert (done := run(*what, cwd=cwd)).code == 0, done.err
        rows = rows_of(cwd)
        made.append([(row["anchor"], row["positive"], row["negative"]) for row in rows])
    assert made[0] == made[1]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_five_thousand_rows_killed_and_resumed_are_five_thousand_unique_rows_in_every_file(
    tmp_path: Path,
) -> None:
    with Loopback(triplets) as server:
        what = arguments(server, 5000)
        for lines in (1000, 3000):
            kill_after(tmp_path, what, lines)
        done = run(*what, cwd=tmp_path)
    assert done.code == 0, done.err
    rows = rows_of(tmp_path)
    assert len(rows) == 5000
    assert unique(rows) == 5000
