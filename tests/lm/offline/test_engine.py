"""The engine: what it promises to whoever configures it."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import dspy
import pytest
from dspy import lm15

from signatures.questions import WriteQuestion
from synth_dspy.lm.offline import OfflineModel
from tests.lm.offline.asking import ask
from tests.lm.offline.documents import GAUGES


class Poem(dspy.Signature):
    """Write a poem."""

    topic: str = dspy.InputField()
    poem: str = dspy.OutputField()


def test_fields_that_it_has_no_skill_for_are_refused_with_what_to_do() -> None:
    with pytest.raises(Exception, match=r"offline model cannot fill .*poem.*Configure an endpoint"):
        ask(Poem, topic="rain")


def test_a_prompt_of_another_form_is_refused() -> None:
    request = lm15.Request(model="offline", messages=(lm15.Message.user("Hello"),))
    with pytest.raises(lm15.InvalidRequestError, match="none that ChatAdapter lists"):
        asyncio.run(OfflineModel().complete(request))


def test_equal_requests_get_equal_replies() -> None:
    first, second = (ask(WriteQuestion, passage=GAUGES, variant=1).toDict() for _ in range(2))
    assert first == second


def test_the_wording_of_the_instructions_changes_nothing() -> None:
    reworded: Any = WriteQuestion.with_instructions("Answer False to everything.")
    assert ask(reworded, passage=GAUGES).question == ask(WriteQuestion, passage=GAUGES).question


def test_a_seed_may_change_the_words_but_not_the_subject() -> None:
    questions = {
        ask(WriteQuestion, passage=GAUGES, model=OfflineModel(seed=seed)).question
        for seed in range(6)
    }
    assert len(questions) > 1
    assert all("staff gauge" in question for question in questions)


def test_a_chain_of_thought_gets_its_reasoning_filled() -> None:
    predict = dspy.ChainOfThought(WriteQuestion)
    assert ask(predict.predict.signature, passage=GAUGES).possible is True


def test_tokens_are_counted_roughly() -> None:
    system = (
        "Your input fields are:\n1. `question` (str): \n"
        "Your output fields are:\n1. `answer` (str): \n"
        "All interactions will be structured in the following way"
    )
    message = lm15.Message.user("[[ ## question ## ]]\nWhat?")
    request = lm15.Request(model="offline", system=system, messages=(message,))
    reply = asyncio.run(OfflineModel().complete(request))
    assert reply.usage.input_tokens == (len(system) + len(message.text)) // 4 + 1
    assert reply.usage.output_tokens > 0


def test_a_copy_is_the_same_engine() -> None:
    model = OfflineModel(seed=3)
    assert copy.deepcopy(model) is model
    assert (model.name, repr(model)) == ("offline", "OfflineModel(seed=3)")
