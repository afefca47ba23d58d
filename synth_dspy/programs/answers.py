"""Candidate -> answer; code is executed, corrected from the report, and gated by mutants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import dspy

from sandbox import Job, Sandbox, Strength, Verdict
from signatures.answers import RepairAnswer, RepairCode
from signatures.questions import RepairTest
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.code import broken_code_in, extract_code, fault_in_test
from synth_dspy.programs.module import Role, StepModule, image_text, passage_of
from synth_dspy.programs.policy import Policy, service_in
from synth_dspy.programs.questions import kind_of
from synth_dspy.programs.snippets import fault_in_snippets
from synth_dspy.programs.types import TYPES, Kind, by_name
from synth_dspy.programs.types.contract import AnswerModule, CodeForm
from synth_dspy.records import Candidate, Check, to_dict

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
        answer_corrections: repairs of an answer in words whose code is broken or forbidden.
        flaky_runs: further runs of a passing pair, each with other hashes, random seeds and date.
    """

    corrections: int = 7
    test_corrections: int = 3
    timeout_s: float = 60.0
    mutation_threshold: float = 0.6
    max_mutants: int = 20
    seed: int = 42
    flaky_runs: int = 1
    answer_corrections: int = 2


class AnswerWriter(StepModule):
    """Answers a candidate; for code, only what passes its test in the sandbox comes out."""

    role: ClassVar[Role] = "answer"
    roles: ClassVar[dict[str, Role]] = {"strengthen_test": "question"}

    def __init__(
        self,
        sandbox: Sandbox,
        verification: Verification,
        *,
        types: Sequence[Kind] = TYPES,
        policy: Policy | None = None,
    ) -> None:
        super().__init__()
        self.by_type: dict[str, AnswerModule] = {kind.name: kind.answerer() for kind in types}
        self.repair_answer = dspy.Predict(RepairAnswer)
        self.repair_code = dspy.Predict(RepairCode)
        self.strengthen_test = dspy.Predict(RepairTest)
        self._kinds = by_name(tuple(types))
        self._sandbox = sandbox
        self._verification = verification
        self._policy = policy or Policy()

    async def aforward(self, candidate: Candidate) -> dspy.Prediction:
        """`outcome`: Kept with the answered `Candidate`, or Dropped with the reason."""
        kind = kind_of(self._kinds, candidate.task)
        module = self.by_type[kind.name]
        answer = (await module.acall(candidate=candidate)).answer
        candidate = replace(candidate, answer=answer)
        if kind.code is not None:
            outcome = await self._code(candidate, kind.code, module.step_name)
        else:
            outcome = await self._words(candidate, module.step_name)
        return dspy.Prediction(outcome=outcome)

    async def _words(self, candidate: Candidate, step: str) -> Outcome:
        """An answer in words; code in it has to parse and, where that can be had, to run."""
        attempts = 1
        while True:
            if not candidate.answer:
                return Dropped("no_answer", "the reply is empty", candidate)
            reason, fault = await self._fault_in_words(candidate)
            if not fault:
                break
            if attempts > self._verification.answer_corrections:
                return Dropped(reason, fault, candidate)
            reply = await self.repair_answer.acall(
                question=candidate.question,
                image_description=image_text(candidate.image) if candidate.image else "",
                passage=passage_of(candidate.chunk),
                prior_code=candidate.chunk.prior_code,
                previous_answer=candidate.answer,
                report=fault,
            )
            repaired = (reply.repaired_answer or "").strip()
            if repaired == candidate.answer:
                return Dropped(reason, fault, candidate)
            candidate, attempts = replace(candidate, answer=repaired), attempts + 1
        steps = {**candidate.steps, step: self.by_type[candidate.task.type].step(step, attempts)}
        return Kept((replace(candidate, steps=steps),))

    async def _fault_in_words(self, candidate: Candidate) -> tuple[str, str]:
        if fault := self._policy.fault_in(candidate.answer):
            return "forbidden_pattern", fault
        if fault := broken_code_in(candidate.answer):
            return "broken_code", fault
        fault = await fault_in_snippets(candidate, self._sandbox)
        return ("broken_code", fault) if fault else ("", "")

    async def _code(self, candidate: Candidate, form: CodeForm, step: str) -> Outcome:
        attempts, errors = 1, []
        while True:
            program = form.program_of(candidate)
            if service := service_in([program]):
                return Dropped("needs_service", service, candidate)
            forbidden = self._policy.fault_in(program)
            if forbidden:
                reason, report, unfixable = "forbidden_pattern", forbidden, False
            else:
                verdict = await self._verify(candidate)
                if verdict.passed:
                    break
                unfixable = verdict.reason == "missing_package"
                reason = verdict.reason if unfixable else "test_failed"
                report = f"{verdict.reason}: {verdict.message}"
            errors.append(report)
            history = {**to_dict(candidate), "errors": errors}
            if unfixable or attempts > self._verification.corrections:
                return Dropped(reason, report, history)
            repaired = await self._repair(candidate, form, report)
            if repaired == candidate.answer:
                return Dropped(reason, report, history)
            candidate, attempts = replace(candidate, answer=repaired), attempts + 1
        given = self.by_type[candidate.task.type].step(step, attempts)
        return await self._gate(replace(candidate, steps={**candidate.steps, step: given}), verdict)

    async def _repair(self, candidate: Candidate, form: CodeForm, report: str) -> str:
        reply = await self.repair_code.acall(
            question=candidate.question,
            entry_point=candidate.entry_point,
            passage=passage_of(candidate.chunk),
            prior_code=candidate.chunk.prior_code,
            previous_program=form.program_of(candidate),
            report=report,
        )
        return form.taken_from(extract_code(reply.repaired_program or ""), candidate)

    async def _verify(self, candidate: Candidate) -> Verdict:
        return await self._sandbox.verify(self._job(candidate))

    def _job(self, candidate: Candidate, world: int = 0) -> Job:
        return Job(
            self._program_of(candidate),
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
            packages=self._sandbox.packages,
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
        fault = fault_in_test(test, candidate.entry_point) or self._policy.fault_in(test)
        if test == candidate.test_code or fault:
            return None
        stronger = replace(candidate, test_code=test)
        verdict = await self._verify(stronger)
        return (stronger, verdict) if verdict.passed else None

    def _program_of(self, candidate: Candidate) -> str:
        form = kind_of(self._kinds, candidate.task).code
        return form.program_of(candidate) if form else ""
