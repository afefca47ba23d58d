"""Task and chunk -> a question and, for code, a test that fails wrong answers.

What a type's question looks like is the type's business; here it is refined, checked, and given its
test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import dspy

from sandbox import Job, Sandbox
from signatures.questions import RefineQuestion, RepairTest, WriteTest
from synth_dspy.errors import StageError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.code import extract_code, fault_in_syntax, fault_in_test
from synth_dspy.programs.module import StepModule, context_of, passage_of
from synth_dspy.programs.policy import Policy, service_in
from synth_dspy.programs.types import TYPES, Kind, by_name
from synth_dspy.programs.types.contract import QuestionModule
from synth_dspy.records import Candidate, Chunk, Task

_QUESTION_CORRECTIONS = 2


class QuestionWriter(StepModule):
    """Writes the question of a task, looks at it again, then writes its test.

    The test is repaired up to `test_corrections` times while it has a fault: not Python, no
    assert, not about the candidate, something forbidden, or passed by a stub that does nothing.

    Args:
        refine: whether a second look is taken at questions that have no known fault.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        test_corrections: int = 3,
        timeout_s: float = 60,
        types: Sequence[Kind] = TYPES,
        policy: Policy | None = None,
        refine: bool = False,
    ) -> None:
        super().__init__()
        self.by_type: dict[str, QuestionModule] = {kind.name: kind.writer() for kind in types}
        self.refine_question = dspy.Predict(RefineQuestion)
        self.write_test = dspy.Predict(WriteTest)
        self.repair_test = dspy.Predict(RepairTest)
        self._kinds = by_name(tuple(types))
        self._sandbox = sandbox
        self._test_corrections = test_corrections
        self._timeout_s = timeout_s
        self._policy = policy or Policy()
        self._refine = refine

    async def aforward(self, task: Task, chunk: Chunk) -> dspy.Prediction:
        """`outcome`: Kept with one `Candidate`, or Dropped with the reason."""
        return dspy.Prediction(outcome=await self._write(task, chunk))

    async def _write(self, task: Task, chunk: Chunk) -> Outcome:
        kind = kind_of(self._kinds, task)
        candidate = Candidate(task=task, chunk=chunk, question="")
        if kind.image == "always" and candidate.image is None:
            return Dropped("no_image", f"a {kind.name} is about an image, and there is none")
        outcome: Outcome = (await self.by_type[kind.name].acall(candidate=candidate)).outcome
        if not isinstance(outcome, Kept):
            return outcome
        outcome = await self._checked(outcome.outputs[0], kind)
        if not isinstance(outcome, Kept) or not kind.is_code:
            return outcome
        return await self._with_test(outcome.outputs[0])

    async def _checked(self, candidate: Candidate, kind: Kind) -> Outcome:
        """The candidate with its question refined, and corrected while something forbids it."""
        if kind.is_code and (service := service_in([candidate.question])):
            return Dropped("needs_service", service, candidate)
        report, asked = self._policy.fault_in(candidate.question), 0
        while (report and asked < _QUESTION_CORRECTIONS) or (
            self._refine and kind.refinable and asked == 0
        ):
            candidate, asked = await self._refined(candidate, kind, report or ""), asked + 1
            report = self._policy.fault_in(candidate.question)
        if report:
            return Dropped("forbidden_pattern", report, candidate)
        if asked:
            steps = {**candidate.steps, "refine_question": self.step("refine_question", asked)}
            candidate = replace(candidate, steps=steps)
        return Kept((candidate,))

    async def _refined(self, candidate: Candidate, kind: Kind, report: str) -> Candidate:
        """The candidate with a better question, or as it was when the new one is none."""
        reply = await self.refine_question.acall(
            form=kind.form,
            question=candidate.question,
            entry_point=candidate.entry_point,
            image_description=context_of(candidate.chunk, candidate.image)["image_description"],
            passage=passage_of(candidate.chunk),
            report=report,
        )
        writer = self.by_type[kind.name]
        better = replace(candidate, question=writer.clean(reply.refined_question or ""))
        return candidate if writer.fault_in(better) else better

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
            tested = replace(candidate, test_code=test)
            if attempts > self._test_corrections:
                return self._given_up(tested, fault)
            reply = await self.repair_test.acall(**about, test_code=test, report=fault)
            repaired = extract_code(reply.repaired_test or "")
            if repaired == test:
                return self._given_up(tested, fault)
            test, attempts = repaired, attempts + 1
        steps = {**candidate.steps, "write_test": self.step("write_test", attempts)}
        tested = replace(candidate, test_code=test, oracle=oracle, steps=steps)
        if service := service_in([test]):
            return Dropped("needs_service", service, tested)
        return Kept((tested,))

    def _given_up(self, candidate: Candidate, fault: str) -> Dropped:
        forbidden = self._policy.fault_in(candidate.test_code)
        return Dropped("forbidden_pattern" if forbidden else "invalid_test", fault, candidate)

    async def fault_of(self, test: str, candidate: Candidate) -> str | None:
        """What is wrong with a test, or None: static faults first, then a stub that passes it."""
        fault = fault_in_test(test, candidate.entry_point) or self._policy.fault_in(test)
        if fault:
            return fault
        form = kind_of(self._kinds, candidate.task).code
        stub = form.stub_of(candidate) if form else ""
        if not stub or fault_in_syntax(stub):
            return None
        job = Job(stub, test, candidate.entry_point, timeout_s=self._timeout_s)
        verdict = await self._sandbox.verify(job)
        if verdict.passed:
            return "a function that does nothing (`pass`) passes it"
        return None


def kind_of(kinds: dict[str, Kind], task: Task) -> Kind:
    """The type of a task.

    Raises:
        StageError: a journal of another version names a type that is not there any more.
    """
    try:
        return kinds[task.type]
    except KeyError:
        raise StageError(
            f"Task {task.id} is of the type {task.type!r}, which this version does not have "
            f"({', '.join(kinds)}). Run `plan` again."
        ) from None
