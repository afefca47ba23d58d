"""What the offline model can do: one entry for each set of output fields.

An `Ask` enters, the skill that fills its fields leaves. A new signature is one entry here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from synth_dspy.lm.offline import (
    answers,
    captions,
    checks,
    classify,
    codefacts,
    dialogues_judges,
    dialogues_pairs,
    dialogues_talk,
    facts,
    figure_questions,
    figures,
    judges,
    pair,
    repairs,
    routing_choices,
    routing_queries,
    rows_skills,
    source_judges,
    summaries,
    tasks,
    verdicts,
)
from synth_dspy.lm.offline.functions import named
from synth_dspy.lm.offline.words import stems

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from synth_dspy.lm.offline.contract import Tools
    from synth_dspy.lm.offline.fields import Ask

    Values = Mapping[str, object]
    Reader = Callable[[Ask], Values]
    Skill = Callable[[Ask, Tools], Awaitable[Values]]


def find(ask: Ask) -> Skill | None:
    """The skill that fills the asked fields; None when there is none."""
    return _skills().get(frozenset(ask.outputs) - {"reasoning"})


def describe_image(ask: Ask) -> Values:
    alt, caption = ask.text("alt_text"), ask.text("caption")
    code, around = ask.text("image_code"), ask.text("surrounding_text")
    kind = figures.kind_of(ask.listed("kinds"), alt, caption, code, around)
    return {"kind": kind, "description": figures.describe(kind, alt, caption, code, around)}


def judge_image(ask: Ask) -> Values:
    return verdicts.judge(ask, source_judges.score_image, good="It informs on its subject.")


def judge_chunk(ask: Ask) -> Values:
    return verdicts.judge(ask, source_judges.score_chunk, good="It explains something by itself.")


def judge_candidate(ask: Ask) -> Values:
    return verdicts.judge(
        ask, judges.score_candidate, good="The source answers it and it is clear."
    )


def judge_sample(ask: Ask) -> Values:
    return verdicts.judge(ask, judges.score_sample, judges.score_sample_freely)


def classify_sample(ask: Ask) -> Values:
    return {"category": classify.classify(ask)}


def write_stub(ask: Ask) -> Values:
    figure, possible = _figure(ask)
    function = tasks.choose_stub(*_code_of(ask), ask.number("variant")) if possible else None
    if function is None:
        return {"possible": False, "stub": "", "entry_point": ""}
    return {"possible": True, "stub": tasks.stub(function, figure), "entry_point": function.name}


def write_task(ask: Ask) -> Values:
    figure, possible = _figure(ask)
    function = tasks.choose_task(*_code_of(ask), ask.number("variant")) if possible else None
    if function is None:
        return {"possible": False, "task": "", "entry_point": ""}
    return {"possible": True, "task": tasks.order(function, figure), "entry_point": function.name}


def _figure(ask: Ask) -> tuple[str, bool]:
    """The figure's name, and whether a code question can be asked about it at all."""
    if not ask.text("image_description").strip():
        return "", True
    name = tasks.figure_name(ask.text("image_code"), ask.text("image_description"))
    return name, bool(name and ask.text("image_code").strip())


def _code_of(ask: Ask) -> tuple[str, str, str]:
    pictured = ask.text("image_code") if ask.text("image_description").strip() else ""
    return ask.text("passage"), ask.text("prior_code"), pictured


async def write_question(ask: Ask, tools: Tools) -> Values:
    described = ask.text("image_description")
    if described.strip():
        found = figure_questions.pairs(described, ask.text("image_code"))
    else:
        passage = ask.text("passage")
        told = facts.pairs(passage)
        coded = codefacts.pairs(passage, ask.text("prior_code"))
        found = pair.mixed([told, coded])
    variant = ask.number("variant")
    if not 0 <= variant < len(found):
        return {"possible": False, "question": ""}
    forms = found[variant].questions
    pick = (tools.seed + len(stems(found[variant].answer))) % (2 * len(forms))
    # The plainest form half of the time.
    return {"possible": True, "question": forms[pick] if pick < len(forms) else forms[0]}


def answer_question(ask: Ask) -> Values:
    return {
        "answer": answers.answer(
            ask.text("question"), ask.text("passage"), ask.text("prior_code"),
            ask.text("image_code"), ask.text("image_description"),
        )
    }  # fmt: skip


def complete_function(ask: Ask) -> Values:
    function = named(ask.text("entry_point"), ask.text("passage"), ask.text("prior_code"))
    return {"body": function.body if function else ""}


def write_program(ask: Ask) -> Values:
    function = named(ask.text("entry_point"), ask.text("passage"), ask.text("prior_code"))
    return {"program": checks.whole(function) if function else ""}


def write_caption(ask: Ask) -> Values:
    return {"caption": captions.caption(ask.text("order"), ask.text("image_description"))}


def write_summary(ask: Ask) -> Values:
    return {"summary": summaries.summary(ask.text("passage"), ask.number("sentences"))}


def refine_question(ask: Ask) -> Values:
    return {"refined_question": ask.text("question")}  # its own questions it cannot better


def repair_answer(ask: Ask) -> Values:
    return {"repaired_answer": ask.text("previous_answer")}


def repair_code(ask: Ask) -> Values:
    function = named(ask.text("entry_point"), ask.text("passage"))
    previous = ask.text("previous_program")
    return {"repaired_program": checks.whole(function) if function else previous}


async def write_test(ask: Ask, tools: Tools) -> Values:
    test = await checks.write(
        ask.text("entry_point"), ask.text("passage"), ask.text("prior_code"), tools.execute
    )
    return {"test_code": test.source, "oracle": test.oracle}


async def repair_test(ask: Ask, tools: Tools) -> Values:
    return {"repaired_test": await repairs.repair_test(ask, tools.execute)}


def _reading(skill: Reader) -> Skill:
    """A skill that needs the prompt alone, in the form of one that may run code."""

    async def run(ask: Ask, _tools: Tools) -> Values:
        return skill(ask)

    return run


@cache
def _skills() -> dict[frozenset[str], Skill]:
    readers: dict[str, Reader] = {
        "kind description": describe_image,
        "informative reason": judge_image,
        "teaches understandable reason": judge_chunk,
        "answerable self_contained specific reason": judge_candidate,
        "correct grounded complete well_formed image_essential reason": judge_sample,
        "category": classify_sample,
        "possible stub entry_point": write_stub,
        "possible task entry_point": write_task,
        "body": complete_function,
        "program": write_program,
        "answer": answer_question,
        "caption": write_caption,
        "summary": write_summary,
        "refined_question": refine_question,
        "repaired_answer": repair_answer,
        "repaired_program": repair_code,
        "uses_source_fact realistic_question sensible_answer reason": dialogues_judges.judge_pair,
        "factually_accurate natural_conversation on_topic adds_value reason issues": (
            dialogues_judges.judge_dialogue
        ),
        "dialogue": dialogues_talk.write_dialogue,
        "queries": routing_queries.write_queries,
        "selected_profiles why": routing_choices.select_profiles,
        "agent": routing_choices.route,
    }
    readers |= rows_skills.SKILLS
    runners: dict[str, Skill] = {
        "possible question": write_question,
        "qa_pairs": dialogues_pairs.extract_pairs,
        "test_code oracle": write_test,
        "repaired_test": repair_test,
    }
    every = {names: _reading(reader) for names, reader in readers.items()} | runners
    return {frozenset(names.split()): skill for names, skill in every.items()}
