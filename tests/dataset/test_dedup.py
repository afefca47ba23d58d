"""Duplicates: what came first stays."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_dspy.dataset.dedup import Deduplicator, Duplicate, dedup_samples, dedup_text
from tests.dataset.made import WORDS, sample

TEXT = "Why does the average of a sample change when one value is far from all of the others?"


def test_an_equal_text_is_an_exact_duplicate_whatever_its_case_and_spaces() -> None:
    known = Deduplicator()
    known.add("a", TEXT)
    found = known.duplicate_of("b", TEXT.upper().replace(" ", "\n "))
    assert found == Duplicate(of="a", layer="exact", similarity=1.0)


def test_a_nearly_equal_text_is_a_near_duplicate_with_its_similarity() -> None:
    known = Deduplicator(0.8)
    known.add("a", TEXT)
    found = known.duplicate_of("b", TEXT.replace("far from all of", "far off all of"))
    assert found is not None
    assert (found.of, found.layer) == ("a", "near")
    assert 0.8 <= found.similarity < 1


def test_a_higher_threshold_removes_less() -> None:
    other = TEXT.replace("far from all of", "far off all of")
    for threshold, expected in ((0.8, True), (0.97, False)):
        known = Deduplicator(threshold)
        known.add("a", TEXT)
        assert (known.duplicate_of("b", other) is not None) is expected


def test_asking_adds_nothing() -> None:
    known = Deduplicator()
    assert known.duplicate_of("a", TEXT) is None
    assert known.duplicate_of("b", TEXT) is None
    assert len(known) == 0


def test_a_sample_is_no_duplicate_of_itself() -> None:
    known = Deduplicator()
    known.add("a", TEXT)
    assert known.duplicate_of("a", TEXT) is None


def test_the_most_similar_of_several_is_named() -> None:
    known = Deduplicator(0.5)
    known.add("far", TEXT.replace("average", "median").replace("sample", "table"))
    known.add("near", TEXT.replace("average", "median"))
    found = known.duplicate_of("new", TEXT)
    assert found is not None
    assert found.of == "near"


def test_of_equally_similar_ones_the_earliest_is_named() -> None:
    known = Deduplicator(0.5)
    other = TEXT.replace("average", "median")
    known.add("first", other)
    known.add("second", other)
    found = known.duplicate_of("new", TEXT)
    assert found is not None
    assert found.of == "first"


@pytest.mark.parametrize("text", ["", "a", "no", "yes!"])
def test_short_texts_are_duplicates_only_when_equal(text: str) -> None:
    known = Deduplicator(0.5)
    known.add("a", "ok")
    known.add("b", text)
    assert known.duplicate_of("c", text) == Duplicate(of="b", layer="exact", similarity=1.0)
    assert known.duplicate_of("d", f"{text}x") is None


def test_planted_near_duplicates_are_found_and_nothing_else() -> None:
    pick = random.Random(11)
    known = Deduplicator(0.7)
    texts = [" ".join(pick.choices(WORDS, k=40)) for _ in range(300)]
    for number, text in enumerate(texts):
        assert known.duplicate_of(str(number), text) is None
        known.add(str(number), text)
    found = []
    for number, text in enumerate(texts):
        words = text.split()
        words[pick.randrange(40)] = "planted"
        duplicate = known.duplicate_of("new", " ".join(words))
        found.append(duplicate is not None and duplicate.of == str(number))
    assert sum(found) >= 0.99 * len(texts)


def test_renaming_and_commenting_make_no_new_code_sample() -> None:
    one = sample(1, type="code_generation", question="Add.", answer="def f(a):\n    return a + 1\n")
    other = sample(
        2, type="code_generation", question="Add!", answer="def f(b):  # plus\n    return b + 1\n"
    )
    assert dedup_text(one) == dedup_text(other)


def test_a_completion_is_compared_as_the_whole_function() -> None:
    stub = 'def f(a):\n    """Add one."""\n    pass\n'
    one = sample(1, type="function_completion", question=stub, answer="    return a + 1\n")
    assert dedup_text(one).splitlines() == [
        "def f(v0):",
        '    """Add one."""',
        "    return v0 + 1",
    ]


def test_answers_are_compared_by_their_words() -> None:
    one = sample(1, type="qa", question="Why, then?", answer="Because - so.")
    assert dedup_text(one) == "why then\nbecause so"


def test_equal_questions_with_other_answers_are_both_kept() -> None:
    one = sample(1, type="qa", question="Why?", answer="Because the queue is empty.")
    other = sample(2, type="qa", question="Why?", answer="The tree has no leaf to prune.")
    assert dedup_samples([one, other])[1] == []


def test_the_lower_rank_stays() -> None:
    low, high = sample(3, rank=1), sample(3, rank=2, id="another")
    kept, dropped = dedup_samples([high, low])
    assert kept == [low]
    assert [(s.id, d.of, d.layer) for s, d in dropped] == [("another", low.id, "exact")]


numbers = st.lists(st.integers(0, 12), max_size=20)


@given(numbers, st.randoms(use_true_random=False))
def test_the_result_does_not_depend_on_the_order_of_the_input(
    picked: list[int], shuffler: random.Random
) -> None:
    samples = [sample(n, id=f"{n}-{i}", rank=i % 7) for i, n in enumerate(picked)]
    shuffled = list(samples)
    shuffler.shuffle(shuffled)
    assert dedup_samples(samples) == dedup_samples(shuffled)


@given(numbers)
def test_doing_it_twice_removes_nothing_more(picked: list[int]) -> None:
    samples = [sample(n, id=f"{n}-{i}") for i, n in enumerate(picked)]
    kept, dropped = dedup_samples(samples)
    assert len(kept) + len(dropped) == len(samples)
    assert dedup_samples(kept) == (kept, [])


def test_a_threshold_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0 and at most 1, not 1\.5"):
        Deduplicator(1.5)
