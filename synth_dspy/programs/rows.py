"""The Program of the `rows` recipe: a request is made clearer, rows are written, each is judged."""

from __future__ import annotations

from typing import Any, ClassVar

import dspy

from signatures.rows import JudgeRow, RefineQuery, write_rows_signature
from synth_dspy.programs.module import Role, StepModule
from synth_dspy.programs.program import Program
from synth_dspy.programs.row_formats import RowFormat
from synth_dspy.programs.row_records import Batch, Brief, Draft, Request
from synth_dspy.records import Judgement


class QueryRefiner(StepModule):
    """What the user typed -> what rows are written for, with subjects and people."""

    def __init__(self) -> None:
        super().__init__()
        self.refine_query = dspy.Predict(RefineQuery)

    async def aforward(self, request: Request) -> dspy.Prediction:
        """`brief`: a `Brief`; a reply without a request leaves the user's own."""
        reply = await self.refine_query.acall(request=request.query, form=request.form)
        return dspy.Prediction(
            brief=Brief(
                str(reply.refined_request).strip() or request.query,
                _said(reply.topics),
                _said(reply.personas),
                {"refine_query": self.step("refine_query")},
            )
        )


class RowWriter(StepModule):
    """A batch -> drafts, validated one by one.

    Args:
        retries: how often a batch is asked for again when no row of a reply can be read.
    """

    def __init__(self, made: RowFormat, retries: int) -> None:
        super().__init__()
        self.write_rows = dspy.Predict(write_rows_signature(made.model))
        self._format, self._retries = made, retries

    async def aforward(self, batch: Batch) -> dspy.Prediction:
        """`drafts`: at most `batch.count`, those that cannot be used with their `problem`."""
        drafts: list[Draft] = []
        for attempt in range(self._retries + 1):
            reply = await self.write_rows.acall(
                **self._asked(batch), **({"config": _another(attempt)} if attempt else {})
            )
            drafts = self._drafts(batch, list(reply.rows), attempt + 1)
            if not drafts or any(not draft.problem for draft in drafts):
                break
        return dspy.Prediction(drafts=tuple(drafts))

    def _asked(self, batch: Batch) -> dict[str, Any]:
        seed = batch.seed
        return {
            "format": self._format.name,
            "form": self._format.form,
            "request": batch.request,
            "passage": seed.passage,
            "contrast": seed.contrast,
            "topics": list(seed.topics),
            "persona": seed.persona,
            "mix": [f"{name}: {count}" for name, count in batch.mix],
            "avoid": list(batch.avoid),
            "variant": batch.variant,
            "count": batch.count,
        }

    def _drafts(self, batch: Batch, rows: list[object], attempts: int) -> list[Draft]:
        steps = {"write_rows": self.step("write_rows", attempts)}
        drafts = []
        for place, value in enumerate(rows[: batch.count]):
            values, problem, extra = self._format.validated(value)
            drafts.append(
                Draft(
                    values=values,
                    source=batch.seed.source,
                    place=place,
                    problem=problem,
                    extra=extra,
                    spans={} if problem else _spans(values, batch),
                    persona=batch.seed.persona,
                    steps=steps,
                )
            )
        return drafts


class RowJudge(StepModule):
    """One draft -> whether it is what its format asks."""

    role: ClassVar[Role] = "curate"

    def __init__(self, made: RowFormat) -> None:
        super().__init__()
        self.judge_row = dspy.Predict(JudgeRow)
        self._format = made

    async def aforward(self, draft: Draft) -> dspy.Prediction:
        """`judgement`: a `Judgement` with the criterion `acceptable`."""
        reply = await self.judge_row.acall(
            format=self._format.name, form=self._format.form, row=self._format.written(draft.values)
        )
        passed = bool(reply.acceptable)
        reason = str(reply.reason).strip()
        return dspy.Prediction(judgement=Judgement(passed, {"acceptable": passed}, reason))


class RowsProgram(Program):
    """Refines a request, writes rows of one format, judges them."""

    def __init__(self, made: RowFormat, *, retries: int = 5) -> None:
        super().__init__()
        self.refiner = QueryRefiner()
        self.writer = RowWriter(made, retries)
        self.judge = RowJudge(made)


def _spans(values: dict[str, Any], batch: Batch) -> dict[str, tuple[int, int]]:
    """Where a row's texts stand word for word: characters of the document's text."""
    if "span" not in batch.seed.source:
        return {}
    start, found = batch.seed.source["span"][0], {}
    for name, value in values.items():
        at = batch.seed.passage.find(value) if isinstance(value, str) and value else -1
        if at >= 0:
            found[name] = (start + at, start + at + len(value))
    return found


def _another(attempt: int) -> dict[str, Any]:
    """Options of a new sample of the same prompt."""
    return {"rollout_id": attempt, "seed": attempt}


def _said(texts: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(text).strip() for text in texts if str(text).strip()))
