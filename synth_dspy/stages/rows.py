"""refine, write-rows and judge-rows: Request -> Brief, Batch -> drafts, draft -> accepted draft."""

from __future__ import annotations

from dataclasses import replace

from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.row_records import Batch, Brief, Draft, Request
from synth_dspy.programs.rows import QueryRefiner, RowJudge, RowWriter
from synth_dspy.stages.contract import MapStage


class Refine(MapStage[Request, Brief]):
    """Makes the user's request clearer, with subjects and people to spread rows over."""

    name, folder, unit = "refine", "refined", "requests"
    output_type = Brief

    def __init__(self, module: QueryRefiner, fingerprint: str, *, enabled: bool = True) -> None:
        self._module, self._fingerprint, self._enabled = module, fingerprint, enabled

    def settings(self) -> object:
        return (self._enabled, self._fingerprint)

    async def process(self, record: Request) -> Outcome:
        if not self._enabled:
            return Kept((Brief(record.query),))
        return Kept(((await self._module.acall(request=record)).brief,))


class WriteRows(MapStage[Batch, Draft]):
    """Writes a batch of rows; what cannot be used comes along, for `judge-rows` to drop."""

    name, folder, unit = "write-rows", "written", "batches"
    output_type = Draft

    def __init__(self, module: RowWriter, settings: object, *, concurrency: int = 16) -> None:
        self.concurrency = concurrency
        self._module, self._settings = module, settings

    def settings(self) -> object:
        return self._settings

    async def process(self, record: Batch) -> Outcome:
        drafts: tuple[Draft, ...] = (await self._module.acall(batch=record)).drafts
        if not drafts:
            return Dropped("nothing_left", "no further row of this kind on this material")
        return Kept(drafts)


class JudgeRows(MapStage[Draft, Draft]):
    """Drops rows that break their format, and those that the judge does not accept."""

    name, folder, unit = "judge-rows", "judged", "rows"
    output_type = Draft

    def __init__(
        self,
        module: RowJudge,
        settings: object,
        *,
        enabled: bool = True,
        concurrency: int = 16,
    ) -> None:
        self.concurrency = concurrency
        self._module, self._settings, self._enabled = module, settings, enabled

    def settings(self) -> object:
        return (self._enabled, self._settings)

    async def process(self, record: Draft) -> Outcome:
        if record.problem:
            return Dropped("invalid_row", record.problem, record)
        if not self._enabled:
            return Kept((record,))
        judgement = (await self._module.acall(draft=record)).judgement
        steps = {**record.steps, "judge_row": self._module.step("judge_row")}
        judged = replace(record, judgement=judgement, steps=steps)
        if judgement.passed:
            return Kept((judged,))
        return Dropped("not_acceptable", judgement.reason, judged)
