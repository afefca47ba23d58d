"""Every reason for which a stage of `conversations` drops a record, each from a model's reply."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_dspy.dataset.embedding import hashed_ngrams
from synth_dspy.dataset.top_k import Weights
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.stages.contract import MapStage
from synth_dspy.stages.conversations.converse import Converse, Words
from synth_dspy.stages.conversations.dedup import DedupConversations
from synth_dspy.stages.conversations.extract_qa import ExtractQa, ProposeQa
from synth_dspy.stages.conversations.judge import JudgeConversations
from synth_dspy.stages.conversations.select import SelectConversations, SelectRules
from synth_dspy.stages.conversations.validate_qa import ValidateQa
from tests.dialogues import chunk, dialogue, pair, program, task
from tests.loopback import Loopback

WORDS = Words({"customer": "c"}, {"plain": "p"}, {"neutral": "n"}, {"standard": "s"},
              {"balanced": "You help."})  # fmt: skip
TODAY = date(2026, 1, 1)


def said(
    question: str, answer: str = "It costs 349 euros.", topic: str = "tents"
) -> dict[str, str]:
    return {"question": question, "answer": answer, "difficulty": "basic", "topic": topic}


def outcome(stage: str, record: Any, reply: dict[str, Any], folder: Path) -> Outcome:
    """What a stage says of a record when the model replies so."""

    async def run() -> Outcome:
        with Loopback(lambda _prompt: reply) as server:
            async with program(folder, server, topics=("tents", "boots")) as made:
                stages: dict[str, MapStage[Any, Any]] = {
                    "propose": ProposeQa(made, count=3, topics=("tents", "boots"), concurrency=1),
                    "validate": ValidateQa(made, concurrency=1),
                    "converse": Converse(made, WORDS, concurrency=1),
                    "judge": JudgeConversations(made, concurrency=1),
                }
                return await stages[stage].process(record)

    return asyncio.run(run())


def reason(found: Outcome) -> str:
    assert isinstance(found, Dropped), found
    assert found.detail
    assert found.record is not None
    return found.reason


def test_three_different_pairs_are_kept_and_a_fourth_is_not(tmp_path: Path) -> None:
    pairs = [said(f"Question {n}?") for n in range(4)]
    found = outcome("propose", chunk(), {"qa_pairs": pairs}, tmp_path)
    assert isinstance(found, Kept)
    assert [made.question for made in found.outputs] == [
        "Question 0?",
        "Question 1?",
        "Question 2?",
    ]


def test_an_unknown_topic_becomes_the_first_one(tmp_path: Path) -> None:
    pairs = [said("A?", topic="space"), said("B?", topic="Boots: all of them"), said("C?")]
    found = outcome("propose", chunk(), {"qa_pairs": pairs}, tmp_path)
    assert isinstance(found, Kept)
    assert [made.topic for made in found.outputs] == ["tents", "boots", "tents"]


def test_a_chunk_with_too_few_different_pairs_is_dropped(tmp_path: Path) -> None:
    pairs = [said("How much is it?"), said("how much is IT ?"), said("What is it?", "")]
    assert reason(outcome("propose", chunk(), {"qa_pairs": pairs}, tmp_path)) == "too_few_pairs"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"answer": "It costs 349 euros until March 2027."}, "future_date"),
        ({"question": "Will tent 0 be there next month?"}, "future_date"),
        ({"answer": "It costs 359 euros."}, "not_grounded"),
        ({"answer": "Ask Ingrid for it."}, "not_grounded"),
    ],
)
def test_a_pair_that_cannot_stay_is_dropped(changed: dict[str, str], why: str) -> None:
    found = asyncio.run(ExtractQa(TODAY).process(pair(0, **changed)))
    assert reason(found) == why


def test_a_good_pair_stays_as_it_is() -> None:
    found = asyncio.run(ExtractQa(TODAY).process(pair(2, answer="It costs 349 euros.")))
    assert found == Kept((pair(2, answer="It costs 349 euros."),))


@pytest.mark.parametrize(
    ("criterion", "why"),
    [
        ("uses_source_fact", "not_from_the_fact"),
        ("realistic_question", "unrealistic_question"),
        ("sensible_answer", "not_a_sensible_answer"),
    ],
)
def test_a_pair_falls_by_the_first_criterion_that_does_not_hold(
    tmp_path: Path, criterion: str, why: str
) -> None:
    names = ("uses_source_fact", "realistic_question", "sensible_answer")
    reply: dict[str, Any] = {name: name != criterion for name in names}
    found = outcome("validate", pair(), {**reply, "reason": "It is so."}, tmp_path)
    assert reason(found) == why
    assert isinstance(found, Dropped)
    assert found.record.validation.criteria[criterion] is False
    assert not found.record.validation.passed


@pytest.mark.parametrize(
    ("exchanges", "why"),
    [
        ([("A?", "B."), ("C?", "D.")], None),
        ([("A?", "B.")], "wrong_turns"),
        ([("A?", "B."), ("C?", "")], "empty_turn"),
        ([("A?", "B."), ("C?", "Dear [Name], D.")], "placeholder"),
        ([("A?", "B."), ("C?", "b.")], "repeats_itself"),
    ],
)
def test_what_cannot_be_a_dialogue_is_dropped(
    tmp_path: Path, exchanges: list[tuple[str, str]], why: str | None
) -> None:
    reply = {"dialogue": [{"user": user, "assistant": answer} for user, answer in exchanges]}
    order = task(pairs=(pair(0), pair(1)), turns=2)
    found = outcome("converse", order, reply, tmp_path)
    if why is None:
        assert isinstance(found, Kept)
        assert [m.role for m in found.outputs[0].messages] == ["system", *("user", "assistant") * 2]
    else:
        assert reason(found) == why


@pytest.mark.parametrize(
    ("criterion", "why"),
    [
        ("factually_accurate", "not_accurate"),
        ("natural_conversation", "not_natural"),
        ("on_topic", "off_topic"),
        ("adds_value", "adds_no_value"),
    ],
)
def test_a_dialogue_falls_by_the_first_criterion_that_does_not_hold(
    tmp_path: Path, criterion: str, why: str
) -> None:
    names = ("factually_accurate", "natural_conversation", "on_topic", "adds_value")
    reply: dict[str, Any] = {name: name != criterion for name in names}
    reply |= {"reason": "It is so.", "issues": ["Mend it."]}
    found = outcome("judge", dialogue(), reply, tmp_path)
    assert reason(found) == why
    assert isinstance(found, Dropped)
    assert found.detail == "It is so.; Mend it."


def test_what_no_source_holds_is_dropped_without_a_call(tmp_path: Path) -> None:
    asked: list[object] = []

    async def run() -> Outcome:
        with Loopback(asked.append) as server:
            async with program(tmp_path, server) as made:
                wrong = dialogue(0, "What does it cost?", "It costs 299 euros.")
                return await JudgeConversations(made, concurrency=1).process(wrong)

    assert reason(asyncio.run(run())) == "ungrounded"
    assert asked == []


def test_of_two_alike_the_lower_rank_stays() -> None:
    alike = [dialogue(1, "What does it cost?", "It costs 349 euros."),
             dialogue(0, "What does it cost?", "It costs 349 euros."),
             dialogue(2, "Are dogs allowed in the café upstairs?", "Yes, on a lead.")]  # fmt: skip
    found = DedupConversations(hashed_ngrams, "embedded", 0.95).run(alike)
    assert reason(found[0]) == "duplicate"
    assert [isinstance(one, Kept) for one in found] == [False, True, True]


def test_dedup_drops_nothing_of_what_it_kept() -> None:
    words = np.random.default_rng(0).choice(["red", "tent", "boot", "wax", "sole"], (40, 6))
    rows = [dialogue(n, " ".join(row), "Yes, it is.") for n, row in enumerate(words)]
    stage = DedupConversations(hashed_ngrams, "embedded", 0.9)
    kept = [o.outputs[0] for o in stage.run(rows) if isinstance(o, Kept)]
    assert len(kept) < len(rows)
    assert all(isinstance(one, Kept) for one in stage.run(kept))


def selected(count: int) -> list[Outcome]:
    topics, rows = ("tents", "boots", "stoves"), []
    for n in range(18):
        topic = topics[n % 3]
        about = pair(n, topic=topic, chunk=chunk(heading=f"H{n % 9}"))
        said = (f"Question {n} {topic}?", f"Answer {n}, about {topic}.")
        rows.append(dialogue(n, *said, order=task(n, pairs=(about,))))
    rules = SelectRules(count, Weights(), (0.7, 0.2, 0.1), seed=1)
    return list(SelectConversations(hashed_ngrams, "embedded", rules).run(rows))


def test_the_top_k_say_why_they_were_taken_and_the_rest_why_not() -> None:
    found = selected(9)
    taken = [one.outputs[0] for one in found if isinstance(one, Kept)]
    left = [one for one in found if isinstance(one, Dropped)]
    assert (len(taken), len(left)) == (9, 9)
    assert sorted(one.selection.place for one in taken) == list(range(9))
    assert {one.reason for one in left} == {"not_among_the_top"}
    assert all("judge" in one.detail and "diversity" in one.detail for one in left)


def test_fewer_than_k_are_all_taken() -> None:
    assert all(isinstance(one, Kept) for one in selected(50))


def test_dialogues_of_one_section_are_in_one_split() -> None:
    split: dict[str, set[str]] = {}
    for one in selected(18):
        assert isinstance(one, Kept)
        made = one.outputs[0]
        split.setdefault(made.task.section, set()).add(made.split)
    assert all(len(splits) == 1 for splits in split.values())
    assert set.union(*split.values()) == {"train", "validation", "test"}
