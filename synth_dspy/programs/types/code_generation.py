"""code_generation: an order in words, answered by a whole program."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import dspy

from signatures.answers import WriteProgram
from signatures.questions import WriteTask
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.code import extract_code
from synth_dspy.programs.module import asked_of
from synth_dspy.programs.types import code
from synth_dspy.programs.types.contract import AnswerModule, CodeForm, Kind, QuestionModule
from synth_dspy.records import Candidate


class OrderWriter(QuestionModule):
    """An order that names the function to define."""

    def __init__(self) -> None:
        super().__init__()
        self.write_task = dspy.Predict(WriteTask)

    async def write(self, candidate: Candidate) -> Outcome:
        reply = await self.write_task.acall(**asked_of(candidate))
        if not reply.possible:
            return Dropped("not_possible", "the passage holds nothing to make such a task from")
        written = replace(
            candidate,
            question=self.clean(reply.task or ""),
            entry_point=(reply.entry_point or "").strip().removesuffix("()"),
            steps={**candidate.steps, "write_task": self.step("write_task")},
        )
        if fault := self.fault_in(written):
            return Dropped("malformed_question", fault, {"question": written.question})
        return Kept((written,))

    def fault_in(self, candidate: Candidate) -> str | None:
        if not candidate.entry_point.isidentifier():
            return f"{candidate.entry_point!r} is not a name"
        if not candidate.question:
            return "the question is empty"
        if candidate.entry_point not in candidate.question:
            return f"the order does not name the function {candidate.entry_point!r}"
        return None


class ProgramWriter(AnswerModule):
    """A whole program, imports first."""

    step_name: ClassVar[str] = "write_program"

    def __init__(self) -> None:
        super().__init__()
        self.write_program = dspy.Predict(WriteProgram)

    async def answer(self, candidate: Candidate) -> str:
        reply = await self.write_program.acall(
            task=candidate.question,
            entry_point=candidate.entry_point,
            **self.context("write_program", candidate),
        )
        return extract_code(reply.program or "")


CODE_GENERATION = Kind(
    name="code_generation",
    form="the question orders a Python function in words, the answer is a whole program that "
    "defines it, which a test runs",
    code=CodeForm(
        program_of=lambda candidate: candidate.answer,
        taken_from=lambda program, _candidate: program,
        stub_of=lambda candidate: f"def {candidate.entry_point}(*args, **kwargs):\n    pass\n",
    ),
    refinable=True,
    suits=code.suits,
    bears=code.bears,
    writer=OrderWriter,
    answerer=ProgramWriter,
)
