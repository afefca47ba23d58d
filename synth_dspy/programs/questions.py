"""Task and chunk -> a question and, for code, a test that fails wrong answers."""

from __future__ import annotations

from dataclasses import replace

import dspy

from sandbox import Job, Sandbox
from signatures.questions import RepairTest, WriteQuestion, WriteStub, WriteTask, WriteTest
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.code import extract_code, fault_in_stub, fault_in_syntax, fault_in_test
from synth_dspy.programs.module import StepModule, context_of, passage_of
from synth_dspy.records import Candidate, Chunk, Task


class QuestionWriter(StepModule):
    """Writes the stub, the order or the question of a task, then its test.

    The test is repaired up to `test_corrections` times while it has a fault: not Python, no
    assert, not about the candidate, or passed by a stub that does nothing.
    """

    def __init__(
        self, sandbox: Sandbox, *, test_corrections: int = 3, timeout_s: float = 60
    ) -> None:
        super().__init__()
        self.write_stub = dspy.Predict(WriteStub)
        self.write_task = dspy.Predict(WriteTask)
        self.write_question = dspy.Predict(WriteQuestion)
        self.write_test = dspy.Predict(WriteTest)
        self.repair_test = dspy.Predict(RepairTest)
        self._sandbox = sandbox
        self._test_corrections = test_corrections
        self._timeout_s = timeout_s

    async def aforward(self, task: Task, chunk: Chunk) -> dspy.Prediction:
        """`outcome`: Kept with one `Candidate`, or Dropped with the reason."""
        return dspy.Prediction(outcome=await self._write(task, chunk))

    async def _write(self, task: Task, chunk: Chunk) -> Outcome:
        candidate = Candidate(task=task, chunk=chunk, question="")
        asked = {
            **context_of(chunk, candidate.image),
            "difficulty": task.difficulty,
            "variant": task.ordinal,
        }
        if task.type == "qa":
            return await self._qa(candidate, asked)
        if task.type == "function_completion":
            reply = await self.write_stub.acall(**asked)
            step, question = "write_stub", extract_code(reply.stub or "")
        else:
            reply = await self.write_task.acall(**asked)
            step, question = "write_task", (reply.task or "").strip()
        entry_point = (reply.entry_point or "").strip().removesuffix("()")
        if not reply.possible:
            return Dropped("not_possible", "the passage holds nothing to make such a task from")
        if task.type == "function_completion":
            fault = fault_in_stub(question, entry_point)
        else:
            fault = None if entry_point.isidentifier() else f"{entry_point!r} is not a name"
        if fault:
            return Dropped("malformed_question", fault, {"question": question})
        if not question:
            return Dropped("malformed_question", "the question is empty")
        steps = {**candidate.steps, step: self.step(step)}
        return await self._with_test(
            replace(candidate, question=question, entry_point=entry_point, steps=steps)
        )

    async def _qa(self, candidate: Candidate, asked: dict[str, object]) -> Outcome:
        reply = await self.write_question.acall(**asked)
        question = (reply.question or "").strip()
        if not reply.possible or not question:
            return Dropped("not_possible", "the passage answers no further question")
        steps = {"write_question": self.step("write_question")}
        return Kept((replace(candidate, question=question, steps=steps),))

    async def _with_test(self, candidate: Candidate) -> Outcome:
        about = {
            "question": candidate.question,
            "entry_point": candidate.entry_point,
            "passage": passage_of(candidate.chunk),
            "prior_code": candidate.chunk.prior_code,
        }
        reply = await self.write_test.acall(**about)
        test, oracle = extract_code(reply.test_code or ""), str(reply.oracle)
        if not test.strip():
            return Dropped("no_test", "no expected value could be had", candidate)
        attempts = 1
        while fault := await self.fault_of(test, candidate):
            if attempts > self._test_corrections:
                return Dropped("invalid_test", fault, replace(candidate, test_code=test))
            reply = await self.repair_test.acall(**about, test_code=test, report=fault)
            repaired = extract_code(reply.repaired_test or "")
            if repaired == test:
                return Dropped("invalid_test", fault, replace(candidate, test_code=test))
            test, attempts = repaired, attempts + 1
        steps = {**candidate.steps, "write_test": self.step("write_test", attempts)}
        return Kept((replace(candidate, test_code=test, oracle=oracle, steps=steps),))

    async def fault_of(self, test: str, candidate: Candidate) -> str | None:
        """What is wrong with a test, or None: static faults first, then a stub that passes it."""
        if fault := fault_in_test(test, candidate.entry_point):
            return fault
        stub = candidate.question
        if candidate.task.type == "code_generation":
            stub = f"def {candidate.entry_point}(*args, **kwargs):\n    pass\n"
        if fault_in_syntax(stub):
            return None
        job = Job(stub, test, candidate.entry_point, timeout_s=self._timeout_s)
        verdict = await self._sandbox.verify(job)
        if verdict.passed:
            return "a function that does nothing (`pass`) passes it"
        return None
