"""The benchmark's table: medians of one unit, and ratios to the first row of each group."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.endpoints import endpoints
from benchmarks.generate import generating
from benchmarks.installed import closure, core_requirements, size_bytes
from benchmarks.memory import peak_mb
from benchmarks.parsing import parsing
from benchmarks.recorded_server import Recorded, read
from benchmarks.retrieval import (
    by_rarity,
    mean_reciprocal_rank,
    reciprocal_ranks,
    task,
    trained,
    untrained,
)
from benchmarks.rows import splits, teaching, together
from benchmarks.starting import starting
from benchmarks.store import run_asking, run_empty, simulate
from benchmarks.table import Group, Row, duration, render
from signatures.questions import WriteQuestion
from synth_dspy.lm.adapter import SynthAdapter
from tests.lm.offline.documents import GAUGES
from tests.loopback import Prompt


def cells(table: str) -> dict[str, list[str]]:
    """The cells after the name, by name."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {line[0]: line[1:] for line in lines}


def test_a_ratio_compares_one_unit_with_the_groups_first_row() -> None:
    once = Row("once", [0.2, 9.0, 0.1])
    batch = Row("batch", [1.0], amount=10)
    found = cells(render([Group("verify", [once, batch])]))
    assert found["once"] == ["200.0 ms", "5.0 1/s", "1.00"]
    assert found["batch"] == ["100.0 ms", "10.0 1/s", "0.50"]


def test_groups_are_not_compared_with_each_other() -> None:
    groups = [Group("a", [Row("one", [1.0])]), Group("b", [Row("two", [5.0])])]
    assert cells(render(groups))["two"][-1] == "1.00"


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.5, "1.50 s"), (0.0123, "12.3 ms"), (4.1e-5, "41 us")]
)
def test_a_duration_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_each_kind_of_document_is_measured_beside_a_library_alone(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One\n\nText.\n")
    (tmp_path / "b.mdx").write_text("# Two\n\nText.\n")
    (tmp_path / "c.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, '
                                      '"nbformat_minor": 5}')  # fmt: skip
    groups = parsing(tmp_path, repetitions=1)
    assert [group.title for group in groups] == ["read 1 notebooks", "read 2 pages"]
    assert [row.name for row in groups[0].rows][:2] == ["nbformat alone", "parse"]
    assert all(row.median > 0 for group in groups for row in group.rows)


def test_documents_that_are_not_there_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--documents", str(tmp_path / "nowhere")])
    assert end.value.code == 2
    assert "nowhere' is not a folder" in capsys.readouterr().err


def test_the_most_memory_is_this_processs_own_and_not_its_parents() -> None:
    hoard = bytearray(200 * 2**20)
    hoard[:: 2**12] = b"x" * len(hoard[:: 2**12])  # every page is touched
    script = "from benchmarks.memory import peak_mb; print(peak_mb())"
    child = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert 1 < float(child.stdout) < 200 < peak_mb()


def test_the_core_is_every_declared_dependency_with_what_it_needs() -> None:
    core = closure(core_requirements())
    assert {"dspy", "litellm", "pydantic-core", "pymupdf"} <= set(core)  # dspy-ai brings dspy


def test_the_core_is_weighed_without_the_extras() -> None:
    core = closure(core_requirements())
    assert not {"ray", "pytest", "ruff", "sentence-transformers"} & set(core)


def test_a_packages_bytes_are_counted_once() -> None:
    one = closure(["orjson"])["orjson"]
    assert size_bytes([one]) == size_bytes([one, one]) > 100_000


def test_starting_compares_our_import_with_a_bare_interpreter() -> None:
    found = starting(repetitions=1)
    names = [row.name for row in found.rows]
    assert names[0] == "python -c pass"
    assert "import synth_dspy.config, synth_dspy.run" in names
    assert " packages, " in found.title


def test_a_recorded_prompt_is_answered_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    prompt = Prompt({"messages": [{"role": "user", "content": "Hi"}]})
    path.write_text(json.dumps({"body": prompt.body, "reply": "as before"}) + "\n")
    assert Recorded(path)(prompt) == "as before"


def test_a_prompt_that_is_not_recorded_is_answered_by_the_offline_model_and_added(
    tmp_path: Path,
) -> None:
    path = tmp_path / "replies.jsonl"
    asked = SynthAdapter().format(WriteQuestion, [], {"passage": GAUGES, "variant": 1})
    prompt = Prompt({"model": "m", "messages": asked})
    reply = Recorded(path)(prompt)
    assert "[[ ## question ## ]]" in reply
    assert read(path) == [{"body": prompt.body, "reply": reply}]


@pytest.mark.slow
def test_calls_and_records_of_the_endpoint_benchmark_add_up() -> None:
    groups = endpoints(lambda line: None, records=8, rounds=2, at_once=(4,))
    speed, cpu, faults = groups
    assert [len(row.seconds) for row in speed.rows] == [2, 2]
    assert len(cpu.rows) == 2
    assert all("8 served" in row.name for row in faults.rows[:1])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_generate_benchmark_makes_samples_of_the_recorded_calls(sandbox_backend: str) -> None:
    speed, cpu, samples = generating(lambda line: None, samples=4, backend=sandbox_backend)
    assert [row.amount > 0 for row in (*speed.rows, *cpu.rows, *samples.rows)] == [True] * 5


def test_the_quota_benchmark_runs_few_more_tasks_than_needed() -> None:
    assert simulate(1)[0] == simulate(1)[1]
    run, needed = simulate(64)
    assert needed <= run <= 1.35 * needed


def test_the_store_benchmark_takes_every_record_through_three_stages() -> None:
    assert run_empty(50) > 0
    assert run_asking(5) > 0


def triplet(anchor: str, positive: str, negative: str, heading: str) -> dict[str, Any]:
    source = {"name": "docs", "path": "a.md", "heading": heading}
    return {"anchor": anchor, "positive": positive, "negative": negative,
            "metadata": json.dumps({"source": source})}  # fmt: skip


def misleading_triplets(count: int = 60) -> list[dict[str, Any]]:
    """Anchor and positive share one rare word; anchor and all else share the chatter."""
    pick = random.Random(3)
    names = ["".join(pick.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(count)]
    chatter = "kindly tell which statement concerning measurements discusses"
    return [
        triplet(f"{chatter} {name}", f"{name} {' '.join(pick.choices(names, k=4))}",
                f"{chatter} {pick.choice(names)}", f"section {index // 2}")
        for index, name in enumerate(names)
    ]  # fmt: skip


def test_a_reciprocal_rank_is_one_over_the_rank_and_a_tie_is_lost() -> None:
    scores = np.array([[0.9, 0.1, 0.2], [0.5, 0.4, 0.3], [0.7, 0.7, 0.0]])
    assert reciprocal_ranks(scores, np.array([0, 1, 1])) == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)


def test_a_positive_of_two_anchors_is_one_candidate() -> None:
    rows = [triplet("one", "same", "other", "a"), triplet("two", "same", "other", "a")]
    assert task(rows).texts.shape[0] == 2
    assert len(set(task(rows).own)) == 1


def test_a_held_out_text_is_no_negative_in_training() -> None:
    rows = [triplet("one", "first", "held out", "a"), triplet("two", "second", "free", "b")]
    assert task(rows, without={"held out"}).texts.shape[0] == 3


def test_a_section_and_an_answer_are_on_one_side_of_every_split() -> None:
    rows = misleading_triplets()
    rows.append(triplet("again", rows[0]["positive"], "x", "section 9"))
    groups = together(rows)
    assert groups[0] == groups[1] == groups[18] == groups[-1] != groups[2]
    group = {row["anchor"]: number for row, number in zip(rows, groups, strict=True)}
    parts = list(splits(rows, 5, seed=0))
    assert sorted(row["anchor"] for _, held_out in parts for row in held_out) == sorted(group)
    for train, held_out in parts:
        assert not {group[row["anchor"]] for row in train} & {
            group[row["anchor"]] for row in held_out
        }


def test_training_learns_what_to_overlook() -> None:
    rows = misleading_triplets()
    lesson, asked = task(rows[:40]), task(rows[40:])
    before = mean_reciprocal_rank(asked, untrained())
    assert mean_reciprocal_rank(asked, trained(lesson, 0.1)) > before + 0.2


def test_rarity_weighs_what_all_texts_share_as_nothing() -> None:
    rows = [triplet("a", "the first", "the second", "x"), triplet("b", "the third", "the 4th", "y")]
    weights = by_rarity(task(rows))
    assert weights.min() < 1e-6 < weights.max()


def test_an_untrained_encoder_finds_a_text_by_itself() -> None:
    rows = misleading_triplets(20)
    alike = [{**row, "anchor": row["positive"]} for row in rows]
    assert mean_reciprocal_rank(task(alike), untrained()) == 1


def test_the_rows_benchmark_tells_the_figure_before_and_after_training() -> None:
    told: list[str] = []
    group = teaching(told.append, misleading_triplets(20), count=2)
    before, after = group.rows
    assert "20 in 2 folds" in group.title
    assert "by rarity" in group.title
    assert before.name.startswith("untrained: MRR 0.")
    assert "gain +0." in after.name
    assert len(told) == len(before.seconds) == len(after.seconds) == 2
