"""Who asks what: as often as was asked for, the same for the same seed, topics to personas."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from synth_dspy.outcomes import Dropped, Kept
from synth_dspy.stages.conversations.cast import Cast, Casting, cast, distribution
from tests.dialogues import chunk, pair

TOPICS = ("tents", "boots", "stoves")
CASTING = Casting(
    weights={
        "persona": {"hiker": 0.5, "parent": 0.3, "club": 0.2},
        "system_prompt": {"concise": 0.35, "balanced": 0.4, "detailed": 0.25},
        "style": {"direct": 3, "polite": 1},
        "emotion": {"neutral": 0.7, "worried": 0.3},
        "modality": {"standard": 0.5, "typed_on_phone": 0.3, "voice_dictated": 0.2},
        "variation": {"none": 0.6, "typos": 0.4},
    },
    turns={1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1},
    personas_of={"boots": ("hiker", "parent")},
    per_pair=10,
    most=217,
    seed=7,
)
PAIRS = [
    pair(
        n,
        topic=TOPICS[n % 3],
        answer=f"Answer {n} with words of its own: {'x' * n} {'y' * n} {'z' * n}.",
        chunk=chunk(heading=f"Section {n // 6}", index=n, line=n + 1),
    )
    for n in range(36)
]  # fmt: skip


def test_every_dimension_is_within_one_of_what_was_asked() -> None:
    found = distribution(cast(PAIRS, CASTING), CASTING)
    assert found["conversations"] == 217
    gaps = {name: found[name]["widest_gap"] for name in (*CASTING.weights, "turns")}
    assert all(gap < 1 for gap in gaps.values()), gaps


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 300))
def test_the_distribution_holds_for_any_seed_and_number(seed: int, most: int) -> None:
    casting = replace(CASTING, seed=seed, most=most)
    found = distribution(cast(PAIRS, casting), casting)
    assert all(found[name]["widest_gap"] < 1 for name in casting.weights if name != "persona")


def test_one_seed_gives_one_cast_and_another_another() -> None:
    assert cast(PAIRS, CASTING) == cast(PAIRS[::-1], CASTING)
    assert cast(PAIRS, CASTING) != cast(PAIRS, replace(CASTING, seed=8))


def test_a_topic_is_asked_about_by_its_personas_alone() -> None:
    asking = {task.traits.persona for task in cast(PAIRS, CASTING) if task.topic == "boots"}
    assert asking == {"hiker", "parent"}


def test_a_pair_leads_no_more_than_it_may_and_all_lead_as_often() -> None:
    leads = Counter(task.pairs[0].id for task in cast(PAIRS, CASTING))
    assert set(leads) == {one.id for one in PAIRS}
    assert max(leads.values()) - min(leads.values()) <= 1
    assert len(cast(PAIRS[:3], CASTING)) == 30


def test_a_dialogue_has_a_pair_a_turn_of_one_section_and_none_twice() -> None:
    for task in cast(PAIRS, CASTING):
        assert len(task.pairs) == task.traits.turns
        assert len({one.id for one in task.pairs}) == len(task.pairs)
        assert {one.chunk.heading for one in task.pairs} == {task.pairs[0].chunk.heading}


def test_pairs_of_the_leading_topic_come_first() -> None:
    for task in cast(PAIRS, CASTING):
        same = [one.topic == task.topic for one in task.pairs]
        assert same == sorted(same, reverse=True)


def test_what_was_answered_already_is_asked_only_where_nothing_else_is_left() -> None:
    section = [pair(n, answer="The tent costs 349 euros.") for n in range(2)]
    section.append(pair(2, answer="Boots are resoled in two weeks."))
    for task in cast(section, replace(CASTING, turns={2: 1.0}, personas_of={})):
        assert {one.answer for one in task.pairs} == {
            "The tent costs 349 euros.", "Boots are resoled in two weeks."
        }  # fmt: skip


def test_a_section_with_one_pair_has_dialogues_of_one_turn() -> None:
    tasks = cast([pair(0)], CASTING)
    assert {task.traits.turns for task in tasks} == {1}
    assert distribution(tasks, CASTING)["turns"]["widest_gap"] > 1


def test_ids_differ_where_orders_do() -> None:
    tasks = cast(PAIRS, CASTING)
    assert len({task.id for task in tasks}) > 0.99 * len(tasks)


def test_a_pair_that_is_not_needed_is_dropped_and_the_numbers_are_written(tmp_path: Path) -> None:
    stage = Cast(replace(CASTING, most=5), tmp_path)
    found = stage.run(PAIRS)
    assert Counter(type(one) for one in found) == {Kept: 5, Dropped: 31}
    assert {one.reason for one in found if isinstance(one, Dropped)} == {"not_needed"}
    assert (tmp_path / "conversations" / "distribution.json").is_file()


def test_nothing_to_cast_casts_nothing() -> None:
    assert cast([], CASTING) == []
