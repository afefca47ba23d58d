"""plan (its writing half), filter-candidates, answer, curate, classify: Task -> finished Candidate.

Evaluating a task never reads another task's result: that is what makes a run's dataset independent
of timing, concurrency and restarts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TypeVar

from synth_dspy.errors import StageError
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.answers import AnswerWriter
from synth_dspy.programs.module import StepModule
from synth_dspy.programs.questions import QuestionWriter
from synth_dspy.records import Candidate, Chunk, Task, content_hash
from synth_dspy.stages.contract import MapStage

UNCATEGORISED = "general"

Watch = Callable[[str, Task], AbstractContextManager[object]]
"""Opened around a record: the stage's name and the record's task; for traces."""

R = TypeVar("R", Task, Candidate)

_UNMET = {
    "correct": "not_correct",
    "grounded": "not_grounded",
    "complete": "incomplete",
    "well_formed": "not_well_formed",
    "image_essential": "image_not_essential",
}


def unwatched(_stage: str, _task: Task) -> AbstractContextManager[object]:
    """A `Watch` that does nothing."""
    return nullcontext()


class _TaskStage(MapStage[R, Candidate]):
    """A stage whose records have a task, and that can be watched."""

    output_type = Candidate
    watch: Watch = staticmethod(unwatched)

    async def process(self, record: R) -> Outcome:
        task = record if isinstance(record, Task) else record.task
        with self.watch(self.name, task):
            return await self.work(record)

    @abstractmethod
    async def work(self, record: R) -> Outcome:
        """As `process`."""


class WriteCandidates(_TaskStage[Task]):
    """Task -> Candidate: the question and its test.

    `chunks` maps chunk ids to chunks; it is filled before the first task is processed.

    Args:
        by_type: fingerprints of what only tasks of one type are asked.
    """

    name, folder, unit = "plan", "planned", "tasks"
    aliases = ("candidates",)

    def __init__(
        self,
        module: QuestionWriter,
        settings: object,
        by_type: Mapping[str, str],
        *,
        concurrency: int = 16,
    ) -> None:
        self.concurrency = concurrency
        self._module, self._settings, self._by_type = module, settings, dict(by_type)
        self.chunks: Mapping[str, Chunk] = {}
        self._hashes: dict[str, str] = {}

    def settings(self) -> object:
        return self._settings

    def use_chunks(self, chunks: Mapping[str, Chunk]) -> None:
        """Give the stage the chunks that tasks name."""
        self.chunks = dict(chunks)
        self._hashes = {}

    def _chunk(self, task: Task) -> Chunk:
        try:
            return self.chunks[task.chunk_id]
        except KeyError:
            raise StageError(
                f"Task {task.id} needs chunk {task.chunk_id}, which filter-chunks did not keep. "
                "Run `plan` again."
            ) from None

    def identity(self, record: Task) -> object:
        chunk = self._chunk(record)
        if chunk.id not in self._hashes:
            self._hashes[chunk.id] = content_hash(chunk)
        return (record, self._hashes[chunk.id], self._by_type.get(record.type, ""))

    async def work(self, record: Task) -> Outcome:
        reply = await self._module.acall(task=record, chunk=self._chunk(record))
        outcome: Outcome = reply.outcome
        return outcome


class _CandidateStage(_TaskStage[Candidate]):
    unit = "candidates"


class _Switched(_CandidateStage):
    """A stage that a run may do without: switched off, it lets everything through."""

    def __init__(
        self, module: StepModule, settings: object, *, enabled: bool, concurrency: int = 16
    ) -> None:
        self.concurrency = concurrency
        self._module, self._settings, self._enabled = module, settings, enabled

    def settings(self) -> object:
        return (self._enabled, self._settings)


class FilterCandidates(_Switched):
    """Drops questions that are not worth the price of an answer."""

    name, folder = "filter-candidates", "filtered_candidates"

    async def work(self, record: Candidate) -> Outcome:
        if not self._enabled:
            return Kept((record,))
        verdict = await self._module.acall(candidate=record)
        if verdict.passed:
            return Kept((record,))
        return Dropped(f"not_{verdict.criterion}", verdict.reason, record)


class AnswerCandidates(_CandidateStage):
    """Answers; code passes its test in the sandbox, and the test kills mutants."""

    name, folder = "answer", "answered"
    aliases = ("answer_generation",)

    def __init__(
        self,
        module: AnswerWriter,
        settings: object,
        by_type: Mapping[str, str],
        *,
        concurrency: int = 16,
    ) -> None:
        self.concurrency = concurrency
        self._module, self._settings, self._by_type = module, settings, dict(by_type)

    def settings(self) -> object:
        return self._settings

    def identity(self, record: Candidate) -> object:
        return (record, self._by_type.get(record.task.type, ""))

    async def work(self, record: Candidate) -> Outcome:
        reply = await self._module.acall(candidate=record)
        outcome: Outcome = reply.outcome
        return outcome


class Curate(_Switched):
    """The judge: keeps samples that meet every criterion of the rubric."""

    name, folder, unit = "curate", "curated", "answers"

    async def work(self, record: Candidate) -> Outcome:
        if not self._enabled:
            return Kept((record,))
        judgement = (await self._module.acall(candidate=record)).judgement
        steps = {**record.steps, "judge_sample": self._module.step("judge_sample")}
        judged = replace(record, judgement=judgement, steps=steps)
        if judgement.passed:
            return Kept((judged,))
        unmet = next(name for name, met in judgement.criteria.items() if not met)
        return Dropped(_UNMET[unmet], judgement.reason, judged)


class Classify(_Switched):
    """Decides the category of a finished sample."""

    name, folder, unit = "classify", "generated", "samples"

    async def work(self, record: Candidate) -> Outcome:
        if not self._enabled:
            return Kept((replace(record, category=UNCATEGORISED),))
        reply = await self._module.acall(candidate=record)
        if not reply.category:
            return Dropped("unknown_category", f"the model said {reply.said!r}", record)
        steps = {**record.steps, "classify_sample": self._module.step("classify_sample")}
        return Kept((replace(record, category=reply.category, steps=steps),))
