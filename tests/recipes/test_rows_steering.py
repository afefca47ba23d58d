"""Waves of batches: what is asked for depends on what came, and on nothing else."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.programs.row_formats import FORMATS
from synth_dspy.programs.row_records import Batch, Brief, Draft, Seed
from synth_dspy.recipes.rows_commit import ACCEPTED, Committer, targets
from synth_dspy.recipes.rows_seeds import seeds_of_brief
from synth_dspy.recipes.rows_steering import WAVE, Steering, shares
from synth_dspy.store.run_directory import read_jsonl


def pair(text: str) -> Draft:
    return Draft({"anchor": text, "positive": f"The answer to {text}."}, {})


def random_words(batch: Batch, at: int) -> str:
    chance = random.Random(f"{batch.seed.passage}{batch.variant}{at}")
    return " ".join("".join(chance.choices("abcdefgh", k=7)) for _ in range(6))


def drive(tmp_path: Path, samples: int, *, seeds: int = 10, rows_a_batch: int = 25,
          batch_size: int = 25) -> tuple[Steering, Committer, list[int]]:  # fmt: skip
    committer = Committer(
        tmp_path, FORMATS["pair"], targets(("rows",), samples), threshold=0.85, live={}
    )
    material = [Seed(passage=f"passage {n}") for n in range(seeds)]
    steering = Steering(material, "", committer, batch_size=batch_size, patience=20)
    waves, sizes = steering.waves(), []
    try:
        wave = next(waves)
        while True:
            sizes.append(len(wave))
            wave = waves.send([
                [pair(random_words(batch, at)) for at in range(min(rows_a_batch, batch.count))]
                for batch in wave
            ])  # fmt: skip
    except StopIteration:
        pass
    committer.close(whole=True)
    return steering, committer, sizes


def test_exactly_so_many_rows_are_accepted(tmp_path: Path) -> None:
    _, committer, _ = drive(tmp_path, 137)
    assert committer.count == 137
    assert len(list(read_jsonl(tmp_path / ACCEPTED))) == 137


def test_no_wave_is_larger_than_what_is_missing_asks_for(tmp_path: Path) -> None:
    _, _, sizes = drive(tmp_path, 20, seeds=200, batch_size=5)
    assert sizes[0] == 5  # twenty rows at five a call, a fifth of which may be refused
    assert max(drive(tmp_path / "more", 5000, seeds=200, batch_size=5)[2]) == WAVE


def test_a_passage_without_a_new_row_is_not_used_again(tmp_path: Path) -> None:
    steering, committer, sizes = drive(tmp_path, 50, seeds=12, rows_a_batch=0)
    assert committer.count == 0
    assert sum(sizes) == 12
    assert steering.saturated == "every passage was used until it gave no new row"


def test_batches_without_a_new_row_end_the_run(tmp_path: Path) -> None:
    steering, _, _ = drive(tmp_path, 50, seeds=100, rows_a_batch=0)
    assert "batches in a row brought no new row" in steering.saturated


def test_a_batch_is_shown_what_its_seed_gave_before(tmp_path: Path) -> None:
    committer = Committer(
        tmp_path, FORMATS["pair"], targets(("rows",), 40), threshold=0.85, live={}
    )
    steering = Steering([Seed(passage="p")], "", committer, batch_size=5, patience=5)
    waves = steering.waves()
    (first,) = next(waves)
    (second,) = waves.send([[pair("what rain is"), pair("what hail is")]])
    committer.close(whole=True)
    assert (first.avoid, first.variant) == ((), 0)
    assert second.avoid == (
        "what rain is | The answer to what rain is.", "what hail is | The answer to what hail is.",
    )  # fmt: skip
    assert second.variant == 1


def test_labels_are_filled_evenly(tmp_path: Path) -> None:
    made = FORMATS["pair-class"]
    committer = Committer(tmp_path, made, targets(made.cells, 10), threshold=1.0, live={})
    for n in range(30):
        committer.commit(
            Draft({"premise": f"p{n}", "hypothesis": f"h{n}", "label": 0 if n < 20 else n % 3}, {})
        )
    committer.close(whole=True)
    assert dict(committer.accepted) == {"entailment": 4, "neutral": 3, "contradiction": 3}
    assert committer.refused["entailment"]["over_quota"] == 20 - 4 + 3


def test_repeats_are_refused_with_their_reason(tmp_path: Path) -> None:
    made = FORMATS["pair"]
    committer = Committer(tmp_path, made, {"rows": 9}, threshold=0.85, live={})
    long = "what the level of the river at the bridge was on each day of the year"
    taken = [committer.commit(pair(text)) for text in (long, long.upper(), long + "s")]
    committer.close(whole=True)
    assert taken == [True, False, False]
    assert committer.refused["rows"] == Counter(duplicate=1, near_duplicate=1)


@given(
    missing=st.dictionaries(st.sampled_from("abcde"), st.integers(1, 500), min_size=1),
    count=st.integers(1, 60),
)
def test_the_rows_of_a_batch_are_all_shared_out(missing: dict[str, int], count: int) -> None:
    mix = dict(shares(missing, count))
    assert sum(mix.values()) == count
    assert all(number > 0 for number in mix.values())
    total = sum(missing.values())
    assert all(abs(mix.get(c, 0) - count * m / total) < 1 for c, m in missing.items())


@pytest.mark.parametrize(("topics", "people"), [(12, 5), (4, 4), (9, 3), (1, 1), (0, 0)])
def test_every_subject_meets_every_person_once(topics: int, people: int) -> None:
    brief = Brief("r", tuple(map(str, range(topics))), tuple(f"p{n}" for n in range(people)))
    seeds = seeds_of_brief(brief)
    groups = {seed.topics for seed in seeds}
    assert len({(seed.topics, seed.persona) for seed in seeds}) == len(seeds)
    assert len(seeds) == len(groups) * len({seed.persona for seed in seeds})
