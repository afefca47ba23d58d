"""The numbers of an analysis."""

from pathlib import Path

import orjson
import pytest

from synth_dspy.dataset.statistics import statistics
from synth_dspy.dataset.tallies import spread, tokens
from tests.dataset.made import chunk, image_record, sample
from tests.dataset.whole import SUMMARIES, summary, whole


def test_they_are_json(tmp_path: Path) -> None:
    stats = whole(tmp_path).stats
    assert orjson.loads(orjson.dumps(stats)) == stats


def test_nothing_at_all_is_fine() -> None:
    stats = statistics([])
    assert stats["total"] == 0
    assert stats["verification"]["kill_rate"] is None
    assert stats["coverage"]["chunks"]["share"] is None


@pytest.mark.parametrize("side", ["split", "type", "category", "difficulty", "modality", "source"])
def test_every_side_counts_every_sample(tmp_path: Path, side: str) -> None:
    assert sum(whole(tmp_path).stats["counts"][side].values()) == 60


def test_modality_follows_the_image() -> None:
    stats = statistics([sample(1, image="images/a.png"), sample(2), sample(3)])
    assert stats["counts"]["modality"] == {"text": 2, "multimodal": 1}


def test_tests_and_mutants_are_those_of_the_code_samples() -> None:
    def check(tests: int, run: int, killed: int) -> dict[str, object]:
        return {"check": {
            "isolation": "docker", "assurance": "split", "tests": tests,
            "mutants_run": run, "mutants_killed": killed, "oracle": "recorded",
        }}  # fmt: skip

    stats = statistics(
        [
            sample(0, metadata=check(3, 10, 9)),
            sample(1, metadata=check(5, 10, 6)),
            sample(2, metadata={"check": None}),
        ]
    )["verification"]
    assert (stats["code_samples"], stats["executed"], stats["tests"]) == (2, 2, 8)
    assert (stats["mutants_run"], stats["mutants_killed"], stats["kill_rate"]) == (20, 15, 0.75)
    assert stats["kill_rates"] == {"60": 1, "90": 1}
    assert stats["tests_by_sample"] == {"3": 1, "5": 1}


def test_a_code_sample_that_was_never_run_is_not_counted_as_executed() -> None:
    stats = statistics([sample(0, metadata={"check": None})])["verification"]
    assert (stats["code_samples"], stats["executed"]) == (1, 0)


def test_attempts_are_counted_by_step() -> None:
    steps = {"answer": {"model": "m", "attempts": 3}}
    stats = statistics([sample(0, metadata={"steps": steps}), sample(1, metadata={})])
    assert stats["attempts"] == {"answer": {"3": 1}}


def test_drops_keep_their_stage_and_reason() -> None:
    stages = statistics([], stage_summaries=SUMMARIES)["stages"]
    assert [stage["stage"] for stage in stages] == list(SUMMARIES)
    assert stages[2]["dropped"] == {"low_quality": 7, "too_short": 3}


def test_usage_is_the_sum_over_the_stages() -> None:
    usage = statistics([], stage_summaries=SUMMARIES)["usage"]
    assert usage == {"llm_calls": 280, "tokens": 300_000, "cost_usd": 0.07, "seconds": 9.0}


@pytest.mark.parametrize(
    ("value", "total"),
    [(7, 7), (None, 0), ({"input": 3, "output": 4}, 7), ({"input": 3, "total": 9}, 9)],
)
def test_tokens_may_be_a_total_or_by_direction(value: object, total: int) -> None:
    assert tokens(value) == total


def test_a_summary_may_lack_what_it_has_not() -> None:
    stats = statistics([], stage_summaries={"parse": {"in": 3, "out": 3}})
    assert stats["stages"][0] == summary("parse", 3, 3, seconds=0.0)


def test_coverage_says_how_much_was_used_and_how_often() -> None:
    image = image_record("images/a.png")
    chunks = [chunk(n, images=(image,) if n == 0 else ()) for n in range(4)]
    samples = [
        sample(0, chunk_id="chunk-0"),
        sample(1, chunk_id="chunk-0"),
        sample(2, chunk_id="chunk-1", image="images/a.png"),
    ]
    cover = statistics(samples, chunks)["coverage"]
    assert cover["chunks"] == {"used": 2, "total": 4, "share": 0.5}
    assert cover["images"] == {"used": 1, "total": 1, "share": 1.0}
    assert cover["chunk_reuse"] == {"1": 1, "2": 1}


def test_the_same_samples_in_another_order_give_the_same_numbers(tmp_path: Path) -> None:
    made = whole(tmp_path)
    one = statistics(made.samples, made.chunks)
    assert statistics(made.samples[::-1], made.chunks[::-1]) == one


def test_a_histogram_counts_every_value_once() -> None:
    result = spread([1, 2, 3, 50, 1000])
    assert sum(result["histogram"]["counts"]) == result["count"] == 5
    assert len(result["histogram"]["edges"]) == len(result["histogram"]["counts"]) + 1


def test_one_value_is_a_histogram_too() -> None:
    assert spread([5, 5])["histogram"] == {"edges": [5.0, 6.0], "counts": [2]}
