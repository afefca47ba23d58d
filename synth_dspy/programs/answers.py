"""Candidate -> answer; code is executed, corrected from the report, and gated by mutants."""

from __future__ import annotations

from dataclasses import dataclass, replace

import dspy

from sandbox import Job, Sandbox, Strength, Verdict
from signatures.answers import AnswerQuestion, CompleteFunction, RepairCode, WriteProgram
from signatures.questions import RepairTest
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.code import (
    assemble,
    body_of,
    broken_code_in,
    extract_code,
    fault_in_syntax,
    fault_in_test,
)
from synth_dspy.programs.module import StepModule, context_of, passage_of
from synth_dspy.records import Candidate, Check

_SURVIVORS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Verification:
    """How hard an answer is tried.

    Attributes:
        corrections: repairs of the answer from the sandbox's report.
        test_corrections: repairs of a test that lets stubs or mutants live.
        timeout_s: wall and CPU seconds of one verification.
        mutation_threshold: share of the mutants, 0..1, that the test must kill.
        max_mutants: sampled per answer; 0 turns the gate off.
        seed: of the sampling.
        flaky_runs: further runs of a passing pair, each with other hashes, random seeds and date.
    """

    corrections: int = 7
    test_corrections: int = 3
    timeout_s: float = 60.0
    mutation_threshold: float = 0.6
    max_mutants: int = 20
    seed: int = 42
    flaky_runs: int = 1


class AnswerWriter(StepModule):
    """Answers a candidate; for code, only what passes its test in the sandbox comes out."""

    def __init__(self, sandbox: Sandbox, verification: Verification) -> None:
        super().__init__()
        self.complete_function = dspy.Predict(CompleteFunction)
        self.write_program = dspy.Predict(WriteProgram)
        self.answer_question = dspy.Predict(AnswerQuestion)
        self.repair_code = dspy.Predict(RepairCode)
        self.strengthen_test = dspy.Predict(RepairTest)
        self._sandbox = sandbox
        self._verification = verification

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`outcome`: Kept with the answered `Candidate`, or Dropped with the reason."""
        answer = self._qa if candidate.task.type == "qa" else self._code
        return dspy.Prediction(outcome=await answer(candidate))

    async def _qa(self, candidate: Candidate) -> Outcome:
        context = context_of(candidate.chunk, candidate.image)
        reply = await self.answer_question.acall(question=candidate.question, **context)
        answer = (reply.answer or "").strip()
        answered = replace(
            candidate,
            answer=answer,
            steps={**candidate.steps, "answer_question": self.step("answer_question")},
        )
        if not answer:
            return Dropped("no_answer", "the reply is empty", answered)
        if fault := broken_code_in(answer):
            return Dropped("broken_code", fault, answered)
        return Kept((answered,))

    async def _code(self, candidate: Candidate) -> Outcome:
        context = context_of(candidate.chunk, candidate.image)
        completion = candidate.task.type == "function_completion"
        step = "complete_function" if completion else "write_program"
        if completion:
            reply = await self.complete_function.acall(
                stub=candidate.question, entry_point=candidate.entry_point, **context
            )
            answer = body_of(reply.body or "", candidate.entry_point)
        else:
            reply = await self.write_program.acall(
                task=candidate.question, entry_point=candidate.entry_point, **context
            )
            answer = extract_code(reply.program or "")
        candidate = replace(candidate, answer=answer)
        attempts = 1
        while not (verdict := await self._verify(candidate)).passed:
            unfixable = verdict.reason == "missing_package"
            report = f"{verdict.reason}: {verdict.message}"
            if unfixable or attempts > self._verification.corrections:
                reason = verdict.reason if unfixable else "test_failed"
                return Dropped(reason, report, candidate)
            repaired = await self._repair(candidate, report)
            if repaired == candidate.answer:
                return Dropped("test_failed", report, candidate)
            candidate, attempts = replace(candidate, answer=repaired), attempts + 1
        steps = {**candidate.steps, step: self.step(step, attempts)}
        return await self._gate(replace(candidate, steps=steps), verdict)

    async def _repair(self, candidate: Candidate, report: str) -> str:
        reply = await self.repair_code.acall(
            question=candidate.question,
            entry_point=candidate.entry_point,
            passage=passage_of(candidate.chunk),
            prior_code=candidate.chunk.prior_code,
            previous_program=program_of(candidate),
            report=report,
        )
        program = extract_code(reply.repaired_program or "")
        if candidate.task.type == "function_completion":
            return body_of(program, candidate.entry_point)
        return program

    async def _verify(self, candidate: Candidate) -> Verdict:
        return await self._sandbox.verify(self._job(candidate))

    def _job(self, candidate: Candidate, world: int = 0) -> Job:
        return Job(
            program_of(candidate),
            candidate.test_code,
            candidate.entry_point,
            timeout_s=self._verification.timeout_s,
            world=world,
        )

    async def _gate(self, candidate: Candidate, verdict: Verdict) -> Outcome:
        """Let a test through that fails stubs and kills mutants; else ask for a stronger one."""
        settings, attempts = self._verification, 0
        while True:
            strength = await self._strength(candidate)
            weakness = self._weakness(strength)
            if weakness is None:
                break
            if attempts >= settings.test_corrections:
                return Dropped("weak_test", weakness, candidate)
            stronger = await self._strengthen(candidate, weakness)
            if stronger is None:
                return Dropped("weak_test", weakness, candidate)
            candidate, verdict = stronger
            attempts += 1
        if fault := await self._flakiness(candidate):
            return Dropped("flaky_test", fault, candidate)
        check = Check(
            isolation=verdict.isolation,
            assurance=verdict.assurance,
            tests=verdict.tests,
            mutants_run=strength.mutants_run if strength else 0,
            mutants_killed=strength.mutants_killed if strength else 0,
            oracle=candidate.oracle,
        )
        steps = dict(candidate.steps)
        if attempts:
            steps["strengthen_test"] = self.step("strengthen_test", attempts)
        return Kept((replace(candidate, check=check, steps=steps),))

    async def _flakiness(self, candidate: Candidate) -> str | None:
        """What a pair that has passed says in other worlds; None when it passes in all."""
        for world in range(1, self._verification.flaky_runs + 1):
            verdict = await self._sandbox.verify(self._job(candidate, world))
            if not verdict.passed:
                return (
                    "it passed, but not with another hash seed, random seed and date: "
                    f"{verdict.reason}: {verdict.message}"
                )
        return None

    async def _strength(self, candidate: Candidate) -> Strength | None:
        settings = self._verification
        if settings.max_mutants == 0:
            return None
        return await self._sandbox.measure(
            self._job(candidate), max_mutants=settings.max_mutants, seed=settings.seed
        )

    def _weakness(self, strength: Strength | None) -> str | None:
        if strength is None:
            return None
        if strength.stubs_passed:
            return "stubs pass the test: " + ", ".join(strength.stubs_passed)
        run, killed = strength.mutants_run, strength.mutants_killed
        if run and killed / run < self._verification.mutation_threshold:
            shown = "\n".join(strength.survivors[:_SURVIVORS_SHOWN])
            return (
                f"the test notices {killed} of {run} small changes to a right answer; not:\n{shown}"
            )
        return None

    async def _strengthen(
        self, candidate: Candidate, weakness: str
    ) -> tuple[Candidate, Verdict] | None:
        """The candidate with a stronger test that its answer still passes, or None."""
        reply = await self.strengthen_test.acall(
            question=candidate.question,
            entry_point=candidate.entry_point,
            passage=passage_of(candidate.chunk),
            prior_code=candidate.chunk.prior_code,
            test_code=candidate.test_code,
            report=weakness,
        )
        test = extract_code(reply.repaired_test or "")
        if test == candidate.test_code or fault_in_test(test, candidate.entry_point):
            return None
        stronger = replace(candidate, test_code=test)
        verdict = await self._verify(stronger)
        return (stronger, verdict) if verdict.passed else None


def program_of(candidate: Candidate) -> str:
    """The whole program of a code answer, as the sandbox runs it."""
    if candidate.task.type == "function_completion" and not fault_in_syntax(candidate.question):
        return assemble(candidate.question, candidate.answer, candidate.entry_point)
    return candidate.answer
