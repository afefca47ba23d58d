"""The batch finds what the texts one by one would find, and large families cost little."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.dataset.dedup import Deduplicator, dedup_samples
from synth_dspy.dataset.embedding import hashed_ngrams
from synth_dspy.dataset.minhash import HASHES, grams, jaccard, normal_text, signature
from synth_dspy.dataset.near_batch import (
    _SMALL_RUN,
    _Candidates,
    near_duplicates,
    near_links,
)
from synth_dspy.dataset.near_jaccard import jaccards
from synth_dspy.dataset.near_signatures import signatures
from synth_dspy.dataset.semantic import SemanticBlocks
from tests.dataset.made import WORDS, sample


def five_grams(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(len(text) - 4)} if len(text) >= 5 else {text}


def planted(count: int, seed: int) -> list[str]:
    pick = random.Random(seed)
    texts = [" ".join(pick.choices(WORDS, k=30)) for _ in range(count)]
    for text in texts[: count // 2]:
        words = text.split()
        words[pick.randrange(30)] = "changed"
        texts.append(" ".join(words))
    return texts


def one_by_one(texts: list[str], threshold: float, semantic: float = 0.0) -> list[int | None]:
    known = Deduplicator(threshold, semantic_threshold=semantic)
    found: list[int | None] = []
    for number, text in enumerate(texts):
        twin = known.duplicate_of(str(number), text)
        found.append(None if twin is None else int(twin.of))
        if twin is None:
            known.add(str(number), text)
    return found


def batch(texts: list[str], threshold: float, semantic: float = 0.0) -> list[int | None]:
    normal = [normal_text(text) for text in texts]
    vectors = SemanticBlocks(hashed_ngrams(normal), semantic) if semantic else None
    found = near_duplicates(texts, threshold, vectors=vectors)
    return [None if twin is None else twin.of for twin in found]


@given(st.lists(st.text(max_size=30) | st.sampled_from(planted(6, 1)), max_size=12))
def test_signatures_are_those_of_the_texts_one_by_one(texts: list[str]) -> None:
    rows, sizes = signatures(texts)
    for text, row, size in zip(texts, rows, sizes, strict=True):
        assert (row == signature(grams(text))).all()
        assert size == len(grams(text))


@given(st.lists(st.text(max_size=12) | st.sampled_from(planted(6, 1)), min_size=1, max_size=12))
def test_similarities_are_those_of_the_pairs_one_by_one(texts: list[str]) -> None:
    first, second = np.divmod(np.arange(len(texts) ** 2), len(texts))
    pairs = zip(first, second, jaccards(texts, first, second), strict=True)
    assert all(how == jaccard(grams(texts[i]), grams(texts[j])) for i, j, how in pairs)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85])
def test_the_batch_decides_as_one_by_one(threshold: float) -> None:
    texts = planted(150, 3)
    found = batch(texts, threshold)
    assert found == one_by_one(texts, threshold)
    assert sum(twin is not None for twin in found) >= 70


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(planted(8, 2)), max_size=40), st.sampled_from([0.6, 0.85]))
def test_it_does_so_in_families_larger_than_a_run(texts: list[str], threshold: float) -> None:
    assert batch(texts * 3, threshold) == one_by_one(texts * 3, threshold)


def test_a_family_that_is_one_by_chance_is_compared_pair_by_pair() -> None:
    pick = random.Random(9)
    texts = [
        "the depth of rain in a gauge " + " ".join(pick.choices(WORDS, k=9)) for _ in range(90)
    ]
    texts += [f"{text} today" for text in texts[::3]]
    work = _Candidates(texts, 0.7)
    longest = max(
        Counter(row.tobytes() for row in signatures(texts)[0][:, at : at + 4]).most_common(1)[0][1]
        for at in range(0, HASHES, 4)
    )
    assert longest > _SMALL_RUN
    assert not work.families.members()
    found = batch(texts, 0.7)
    assert found == one_by_one(texts, 0.7)
    assert sum(twin is not None for twin in found) >= 30


def test_the_semantic_layer_decides_as_one_by_one() -> None:
    pick = random.Random(4)
    texts = planted(60, 5)
    for text in texts[:30]:
        words = text.split()
        at = pick.randrange(10, 20)
        texts.append(" ".join(words[at:] + words[:at]))
    found = batch(texts, 0.85, 0.9)
    assert found == one_by_one(texts, 0.85, 0.9)
    assert None not in found[-30:]


def test_links_are_all_pairs_that_are_alike() -> None:
    texts = planted(60, 6)
    sets = [five_grams(text) for text in texts]
    expected = {
        (i, j)
        for j in range(len(texts))
        for i in range(j)
        if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8
    }
    assert len(expected) >= 30
    assert set(near_links(texts, 0.8)) == expected


def test_pairs_that_are_known_are_passed_over() -> None:
    assert list(near_links(planted(20, 7), 0.7, known=lambda i, j: True)) == []


@pytest.mark.timeout(60)
def test_a_family_of_one_template_does_not_hang() -> None:
    pick = random.Random(8)
    texts = [
        f"Write a function that takes the {pick.choice(WORDS)} of a {pick.choice(WORDS)} and puts "
        f"the {pick.choice(WORDS)} of station {n} in order, as the manual of the {n % 97} asks."
        for n in range(1500)
    ]
    assert list(near_links(texts, 0.7))


def test_samples_are_deduplicated_by_all_layers() -> None:
    one = sample(2, question="Why?", answer="the gauge is open and the river rises over the weir")
    near = sample(5, question="Why?", answer="the gauge is open and the river rises over the weirs")
    moved = sample(8, question="Why?", answer="the river rises over the weir and the gauge is open")
    same = sample(11, question="Why", answer=one.answer.upper())
    kept, dropped = dedup_samples([moved, same, near, one], semantic_threshold=0.8)
    assert kept == [one]
    assert [(s.rank, d.layer) for s, d in dropped] == [(5, "near"), (8, "semantic"), (11, "exact")]


def test_no_texts_give_nothing() -> None:
    assert near_duplicates([], 0.8) == []
    assert list(near_links([], 0.8)) == []
