"""Splits: stratified, deterministic, and without leaks."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.dataset.groups import groups, leaks
from synth_dspy.dataset.split import deviations, split_samples
from synth_dspy.errors import ConfigError
from synth_dspy.records import Sample
from tests.dataset.made import sample

RATIOS = (0.70, 0.15, 0.15)


def many(count: int) -> list[Sample]:
    return [
        sample(n, chunk_id=f"c{n // 3}", image=f"images/{n % 40}.png" if n % 5 == 0 else "")
        for n in range(count)
    ]


def sizes(samples: list[Sample]) -> Counter[str]:
    return Counter(s.split for s in samples)


def test_sizes_are_near_the_asked_ratios() -> None:
    found = sizes(split_samples(many(300), ratios=RATIOS, seed=42))
    assert abs(found["train"] - 210) <= 6
    assert abs(found["validation"] - 45) <= 6
    assert abs(found["test"] - 45) <= 6


@pytest.mark.parametrize("side", ["type", "category", "has_image"])
def test_each_split_has_its_share_of_every_kind(side: str) -> None:
    done = split_samples(many(600), ratios=RATIOS, seed=42)
    totals = Counter(getattr(s, side) for s in done)
    for (value, split), count in Counter((getattr(s, side), s.split) for s in done).items():
        ratio = {"train": 0.7, "validation": 0.15, "test": 0.15}[split]
        assert abs(count / totals[value] - ratio) < 0.06, (value, split)


def test_samples_of_one_chunk_are_in_one_split() -> None:
    done = split_samples(many(120), ratios=RATIOS, seed=1)
    by_chunk: dict[str, set[str]] = {}
    for s in done:
        by_chunk.setdefault(s.chunk_id, set()).add(s.split)
    assert max(map(len, by_chunk.values())) == 1


def test_samples_of_one_image_are_in_one_split() -> None:
    samples = [sample(n, image="images/same.png") if n < 4 else sample(n) for n in range(40)]
    done = split_samples(samples, ratios=RATIOS, seed=1)
    assert len({s.split for s in done[:4]}) == 1


def test_one_image_under_two_paths_is_known_by_its_hash() -> None:
    image = {"sha256": "same"}
    samples = [sample(n, image=f"images/{n}.png", metadata={"image": image}) for n in range(3)]
    assert groups(samples, extra_groups={}) == [[0, 1, 2]]


def test_nearly_equal_samples_are_in_one_group() -> None:
    one = sample(1, type="qa")
    other = sample(2, type="qa", question=one.question + " Say it.", answer=one.answer)
    assert groups([one, other], extra_groups={}) == [[0, 1]]


def test_unlike_samples_are_groups_of_their_own() -> None:
    assert groups([sample(2), sample(5)], extra_groups={}) == [[0], [1]]


def test_one_passage_of_two_copies_of_a_file_is_one_group() -> None:
    source = {"source": {"sha256": "same", "span": [0, 99]}}
    samples = [sample(2, metadata=source), sample(5, metadata=source)]
    assert groups(samples, extra_groups={}) == [[0, 1]]


def test_extra_groups_join_samples() -> None:
    samples = [sample(2), sample(5), sample(8)]
    extra = {samples[0].id: "section", samples[2].id: "section"}
    assert groups(samples, extra_groups=extra) == [[0, 2], [1]]


def test_a_chain_of_reasons_makes_one_group() -> None:
    samples = [
        sample(2, chunk_id="a"),
        sample(5, chunk_id="a", image="images/x.png"),
        sample(8, chunk_id="b", image="images/x.png"),
    ]
    assert groups(samples, extra_groups={}) == [[0, 1, 2]]


def test_leaks_are_named() -> None:
    samples = [sample(1, chunk_id="c", split="train"), sample(2, chunk_id="c", split="test")]
    assert leaks(samples) == ["chunk c: test, train"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 5), st.randoms(use_true_random=False))
def test_splits_partition_leak_nothing_and_do_not_depend_on_order(
    count: int, seed: int, shuffler: random.Random
) -> None:
    samples = many(count)
    done = split_samples(samples, ratios=RATIOS, seed=seed)
    assert [s.id for s in done] == [s.id for s in samples]
    assert {s.split for s in done} <= {"train", "validation", "test"}
    assert leaks(done) == []
    shuffled = list(samples)
    shuffler.shuffle(shuffled)
    again = split_samples(shuffled, ratios=RATIOS, seed=seed)
    assert {s.id: s.split for s in again} == {s.id: s.split for s in done}


@pytest.mark.parametrize("count", [3, 4, 5, 7])
def test_three_groups_are_enough_for_three_splits(count: int) -> None:
    done = split_samples([sample(3 * n + 2) for n in range(count)], ratios=RATIOS, seed=42)
    assert set(sizes(done)) == {"train", "validation", "test"}


def test_train_stays_the_largest_of_few() -> None:
    found = sizes(split_samples([sample(3 * n + 2) for n in range(8)], ratios=RATIOS, seed=42))
    assert found["train"] == max(found.values())


def test_two_groups_are_never_torn_to_fill_three_splits() -> None:
    samples = [sample(n, chunk_id=f"c{n % 2}") for n in range(8)]
    done = split_samples(samples, ratios=RATIOS, seed=42)
    assert leaks(done) == []
    assert len(sizes(done)) <= 2


def test_a_ratio_of_nothing_gives_an_empty_split() -> None:
    done = split_samples(many(60), ratios=(0.9, 0.1, 0.0), seed=42)
    assert set(sizes(done)) == {"train", "validation"}


def test_another_seed_gives_another_split() -> None:
    one, other = (split_samples(many(90), ratios=RATIOS, seed=seed) for seed in (1, 2))
    assert [s.split for s in one] != [s.split for s in other]


def test_no_samples_give_no_splits() -> None:
    assert split_samples([], ratios=RATIOS, seed=42) == []


@pytest.mark.parametrize("ratios", [(0.7, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_ratios_that_are_no_shares_are_refused(ratios: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError, match="their sum 1"):
        split_samples(many(3), ratios=ratios, seed=42)


def test_deviations_add_up_to_the_samples() -> None:
    done = split_samples(many(90), ratios=RATIOS, seed=42)
    cells = deviations(done, RATIOS)
    assert sum(int(cell["actual"]) for cell in cells) == 90
    assert sum(float(cell["asked"]) for cell in cells) == pytest.approx(90, abs=0.2)
