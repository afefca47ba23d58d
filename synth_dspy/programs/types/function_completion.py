"""function_completion: a documented stub whose body is missing, as HumanEval has it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import dspy

from signatures.answers import CompleteFunction
from signatures.questions import WriteStub
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.code import (
    assemble,
    body_of,
    extract_code,
    fault_in_stub,
    fault_in_syntax,
)
from synth_dspy.programs.module import asked_of
from synth_dspy.programs.types import code
from synth_dspy.programs.types.contract import AnswerModule, CodeForm, Kind, QuestionModule
from synth_dspy.records import Candidate


class StubWriter(QuestionModule):
    """Imports, signature, docstring, `pass`."""

    def __init__(self) -> None:
        super().__init__()
        self.write_stub = dspy.Predict(WriteStub)

    async def write(self, candidate: Candidate) -> Outcome:
        reply = await self.write_stub.acall(**asked_of(candidate))
        if not reply.possible:
            return Dropped("not_possible", "the passage holds nothing to make such a task from")
        written = replace(
            candidate,
            question=self.clean(reply.stub or ""),
            entry_point=(reply.entry_point or "").strip().removesuffix("()"),
            steps={**candidate.steps, "write_stub": self.step("write_stub")},
        )
        if fault := self.fault_in(written):
            return Dropped("malformed_question", fault, {"question": written.question})
        return Kept((written,))

    def clean(self, text: str) -> str:
        return extract_code(text)

    def fault_in(self, candidate: Candidate) -> str | None:
        return fault_in_stub(candidate.question, candidate.entry_point)


class BodyWriter(AnswerModule):
    """The body alone, indented."""

    step_name: ClassVar[str] = "complete_function"

    def __init__(self) -> None:
        super().__init__()
        self.complete_function = dspy.Predict(CompleteFunction)

    async def answer(self, candidate: Candidate) -> str:
        reply = await self.complete_function.acall(
            stub=candidate.question,
            entry_point=candidate.entry_point,
            **self.context("complete_function", candidate),
        )
        return body_of(reply.body or "", candidate.entry_point)


def program_of(candidate: Candidate) -> str:
    """The stub with its body."""
    if fault_in_syntax(candidate.question):
        return candidate.answer
    return assemble(candidate.question, candidate.answer, candidate.entry_point)


FUNCTION_COMPLETION = Kind(
    name="function_completion",
    form="the question is a Python stub (imports, signature, docstring), the answer its body, "
    "indented, which a test runs",
    code=CodeForm(
        program_of=program_of,
        taken_from=lambda program, candidate: body_of(program, candidate.entry_point),
        stub_of=lambda candidate: candidate.question,
    ),
    refinable=True,
    suits=code.suits,
    bears=code.bears,
    writer=StubWriter,
    answerer=BodyWriter,
)
