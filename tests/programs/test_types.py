"""Question types: a new one is one signature, one module, one line."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from synth_dspy.errors import StageError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.types import TYPES, Kind, by_name
from synth_dspy.records import Candidate
from synth_dspy.stages.allocation import AllocationOptions, allocate, targets
from synth_dspy.stages.generate import AnswerCandidates, Curate, FilterCandidates, WriteCandidates
from tests.loopback import Loopback, Prompt
from tests.programs.made import CountingSandbox, chunk, image, program, task


def readmes_type() -> Kind:
    """`EXPLANATION` of the README's page, its two files put where their imports find them."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    section = readme.partition("## A new question type")[2].partition("\n## ")[0]
    signature, module = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    asked = ModuleType("signatures.explanations")
    exec(compile(signature, asked.__name__, "exec", dont_inherit=True), asked.__dict__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, asked.__name__, asked)
        made: dict[str, Any] = {"__name__": "synth_dspy.programs.types.explanation"}
        exec(compile(module, made["__name__"], "exec", dont_inherit=True), made)
    kind = made["EXPLANATION"]
    assert isinstance(kind, Kind)
    return kind


EXPLANATION = readmes_type()
WITH_EXPLANATION = (*TYPES, EXPLANATION)


def options(**shares: tuple[float, float]) -> AllocationOptions:
    return AllocationOptions(
        target=4, shares=shares, difficulties={"easy": 1, "medium": 1, "hard": 1}
    )


def test_a_new_type_goes_through_the_real_stages(tmp_path: Path) -> None:
    def answer(prompt: Prompt) -> dict[str, Any]:
        return {"explanation": "A bucket that tips when it is full of rain."}

    (planned,) = allocate([chunk()], options(explanation=(1.0, 0.5)), WITH_EXPLANATION)

    async def main(server: Loopback) -> Outcome:
        async with program(tmp_path, server, types=WITH_EXPLANATION) as made:
            write = WriteCandidates(made.question_writer, (), {})
            write.use_chunks({"c1": chunk()})
            stages = [
                write,
                FilterCandidates(made.candidate_filter, "", enabled=True),
                AnswerCandidates(made.answer_writer, (), {}),
                Curate(made.judge, "", enabled=True),
            ]
            record: Any = planned
            for stage in stages:
                outcome = await stage.process(record)
                assert isinstance(outcome, Kept), outcome
                (record,) = outcome.outputs
            return outcome

    with Loopback(answer) as server:
        outcome = asyncio.run(main(server))
    assert isinstance(outcome, Kept)
    (finished,) = outcome.outputs
    assert finished.task.type == "explanation"
    assert finished.question == "Explain to a child: Rain"
    assert finished.answer == "A bucket that tips when it is full of rain."
    assert finished.steps["explain_to_child"].model == "m"
    judged = [b for b in server.bodies if "well_formed" in str(b["messages"])]
    assert EXPLANATION.form in str(judged[-1]["messages"])


def test_a_new_type_changes_no_fingerprint_of_the_others(tmp_path: Path) -> None:
    async def prints(types: tuple[Kind, ...]) -> tuple[str, dict[str, str]]:
        with Loopback() as server:
            async with program(tmp_path, server, types=types) as made:
                writer = made.answer_writer
                return made.fingerprint(writer), made.fingerprints_by_type(writer)

    before, each = asyncio.run(prints(TYPES))
    after, more = asyncio.run(prints(WITH_EXPLANATION))
    assert before == after
    assert {name: more[name] for name in each} == each
    assert set(more) - set(each) == {"explanation"}


def test_a_changed_prompt_changes_its_own_types_fingerprint_only(tmp_path: Path) -> None:
    async def prints(prompts: dict[str, str]) -> dict[str, str]:
        with Loopback() as server:
            async with program(tmp_path, server, prompts=prompts) as made:
                return made.fingerprints_by_type(made.answer_writer)

    before, after = asyncio.run(prints({})), asyncio.run(prints({"write_caption": "Be brief."}))
    assert {name for name in before if before[name] != after[name]} == {"caption"}


def test_names_are_unique_and_can_name_a_configuration_key() -> None:
    assert len(by_name()) == len(TYPES)
    assert all(re.fullmatch(r"[a-z][a-z_]*", name) for name in by_name())


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_what_a_chunk_bears_is_at_least_one_where_it_suits(kind: Kind) -> None:
    wide = chunk(text="The rain falls on the gauge and is counted. " * 40, images=(image(),))
    for picture in (None, image()):
        assert 0 <= kind.suits(wide, picture) <= 2.5
        if kind.suits(wide, picture):
            assert kind.bears(wide, picture) >= 1


def test_a_caption_is_never_asked_of_a_picture_that_nobody_described() -> None:
    undescribed = chunk(images=(image(description=""), image(id="i2", sha256="b" * 64)))
    tasks = allocate([undescribed], options(caption=(1.0, 0.3)))
    assert [t.image_id for t in tasks] == ["i2"]
    assert allocate([chunk()], options(caption=(1.0, 0.3))) == []


def test_captions_are_all_multimodal_and_summaries_never() -> None:
    wanted = targets(options(caption=(0.5, 0.1), summary=(0.5, 0.9)))
    assert wanted == {("caption", "multimodal"): 2, ("summary", "text"): 2}


def test_a_type_that_is_no_more_is_said_with_what_to_do(tmp_path: Path) -> None:
    async def main() -> None:
        with Loopback() as server:
            async with program(tmp_path, server) as made:
                await made.answer_writer.acall(
                    candidate=Candidate(task=task("riddle"), chunk=chunk(), question="?")
                )

    with pytest.raises(StageError, match=r"'riddle'.*Run `plan` again"):
        asyncio.run(main())


def test_a_summary_shows_the_text_that_it_sums_up_and_a_caption_names_its_picture(
    tmp_path: Path,
) -> None:
    async def write(kind: str, **changed: Any) -> Outcome:
        with Loopback() as server:
            async with program(tmp_path, server) as made:
                reply = await made.question_writer.acall(
                    task=task(kind, **changed), chunk=chunk(images=(image(),))
                )
                assert server.count == 0
                outcome: Outcome = reply.outcome
                return outcome

    summary = asyncio.run(write("summary"))
    caption = asyncio.run(write("caption", modality="multimodal", image_id="i1"))
    nothing = asyncio.run(write("caption"))
    assert isinstance(summary, Kept)
    assert isinstance(caption, Kept)
    assert chunk().text in summary.outputs[0].question
    assert "chart" in caption.outputs[0].question
    assert "rises" not in caption.outputs[0].question
    assert isinstance(nothing, Dropped)
    assert nothing.reason == "no_image"


STUB = 'def depth(tips):\n    """Depth of rain of a number of tips."""\n    pass\n'
TEST = "def check(candidate):\n    assert candidate(1) == 0.2\n    assert candidate(2) == 0.4\n"


def test_every_code_type_gets_a_test_that_a_stub_fails(tmp_path: Path) -> None:
    def answer(_prompt: Prompt) -> dict[str, Any]:
        return {"stub": STUB, "task": "Write `depth(tips)`.", "entry_point": "depth",
                "test_code": TEST}  # fmt: skip

    async def write(kind: str, box: CountingSandbox) -> Outcome:
        with Loopback(answer) as server:
            async with program(tmp_path, server, box) as made:
                reply = await made.question_writer.acall(task=task(kind), chunk=chunk())
                outcome: Outcome = reply.outcome
                return outcome

    for kind in (kind for kind in TYPES if kind.is_code):
        box = CountingSandbox()
        outcome = asyncio.run(write(kind.name, box))
        assert isinstance(outcome, Kept), outcome
        assert outcome.outputs[0].test_code == TEST
        assert [job.solution.rstrip().endswith("pass") for job in box.jobs] == [True]


def test_a_program_with_its_stub_is_what_the_sandbox_runs() -> None:
    form = by_name()["function_completion"].code
    assert form is not None
    answered = replace(
        Candidate(task=task("function_completion"), chunk=chunk(), question=STUB),
        answer="    return 0.2 * tips\n",
        entry_point="depth",
    )
    program_text = form.program_of(answered)
    assert '"""Depth of rain' in program_text
    assert program_text.rstrip().endswith("return 0.2 * tips")
