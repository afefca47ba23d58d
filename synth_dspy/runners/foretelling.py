"""An engine that does nothing: it says which stages would do how many records again.

A flow is led through it as through any other. Keys are computed against the journals as far as the
records are known; what comes of a record that would be done again is not known, so what follows
from it is an estimate. Nothing is written, and no model is asked.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from synth_dspy.dataset.quota import Quota
from synth_dspy.errors import StageError
from synth_dspy.outcomes import Kept, Tally
from synth_dspy.runners.barriers import inputs_of, recall_barrier, recall_outputs
from synth_dspy.runners.waves import Waves
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.contract import BarrierStage, MapStage, Stage
from synth_dspy.stages.results import summary_path
from synth_dspy.store.run_directory import read_json

C = TypeVar("C", bound=Hashable)

_UNKNOWN = object()


@dataclass(slots=True)
class Foretold:
    """What a run would do at one stage.

    Attributes:
        records: known to enter the stage; redo: of these, without finished work under the present
            settings, so certain to be done.
        may_follow: about how many more, if what is redone before comes out differently.
        until_full: whether a run takes records until quotas are met; where there is work to do it
            begins more than these, and counts them as `beyond`.
    """

    stage: str
    records: int = 0
    redo: int = 0
    may_follow: int = 0
    until_full: bool = False


@dataclass(frozen=True, slots=True)
class _Path:
    """How far a task is known to come.

    Attributes:
        value: what came of it; None when a stage did not keep it.
        known: stages that it is known to enter; is_redone: the last of them would do it again.
    """

    value: Any
    known: int
    is_redone: bool = False


class ForetellingEngine:
    """Takes a flow through its stages without doing any of them.

    Attributes:
        stages: what was found, by stage, in the order of the run.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._unsure = 0.0
        self.stages: dict[str, Foretold] = {}
        self.tallies: defaultdict[str, Tally] = defaultdict(lambda: Tally(""))
        self.rejections: dict[Any, Counter[str]] = {}

    def _line(self, stage: Stage) -> Foretold:
        return self.stages.setdefault(stage.name, Foretold(stage.name))

    async def run_maps(
        self, stages: Sequence[MapStage[Any, Any]], records: Iterable[Any]
    ) -> list[Any]:
        """The outputs that are known already."""
        known = list(records)
        for stage in stages:
            line, made = self._line(stage), list[Any]()
            line.may_follow = math.ceil(self._unsure)
            for record in known:
                line.records += 1
                done = self._bench.recall(stage, self._bench.key(stage, record))
                if done is None:
                    line.redo += 1
                elif isinstance(done.outcome, Kept):
                    made += done.outcome.outputs
            self._unsure = (self._unsure + line.redo) * self._fan_out(stage)
            known = made
        return known

    def _fan_out(self, stage: Stage) -> float:
        """Records that came of one, in the run before; 1 without one."""
        found = read_json(summary_path(self._bench.run.folder(stage.folder), stage)) or {}
        return found["out"] / found["in"] if found.get("in") else 1.0

    async def run_waves(self, stages: Sequence[MapStage[Any, Any]], waves: Waves) -> None:
        """The waves that are known: what would follow a record that is done again is not."""
        lines = [self._line(stage) for stage in stages]
        try:
            wave = next(waves)
            while True:
                came = [self._through(stages, lines, record) for record in wave]
                if None in came:
                    break
                wave = waves.send([made for made in came if made is not None])
        except StopIteration:
            pass
        finally:
            waves.close()
        self._unsure += sum(line.redo for line in lines)

    def _through(
        self, stages: Sequence[MapStage[Any, Any]], lines: Sequence[Foretold], record: Any
    ) -> list[Any] | None:
        """What came of a record before; None where a stage would do it again."""
        known, whole = [record], True
        for stage, line in zip(stages, lines, strict=True):
            made: list[Any] = []
            for one in known:
                line.records += 1
                done = self._bench.recall(stage, self._bench.key(stage, one))
                if done is None:
                    line.redo += 1
                    whole = False
                elif isinstance(done.outcome, Kept):
                    made += done.outcome.outputs
            known = made
        return known if whole else None

    async def run_quota(
        self,
        stages: Sequence[MapStage[Any, Any]],
        tasks: Sequence[Any],
        cell_of: Callable[[Any], C],
        targets: Mapping[C, int],
        is_duplicate: Callable[[int, Any], bool],
        *,
        concurrency: int,
        keep_all: bool = False,
    ) -> Quota[C, Any]:
        """The quotas as they would be filled if every task that is not known were accepted.

        A run that has work to do begins some tasks more than these while it waits for others;
        its summaries count them as `beyond`.
        """
        del concurrency, keep_all
        others = self._unsure > 0  # whoever chooses the tasks may choose others

        def leaves_out(rank: int, value: Any) -> bool:
            return value is not _UNKNOWN and is_duplicate(rank, value)

        quota: Quota[C, Any] = Quota([cell_of(task) for task in tasks], targets, leaves_out)
        went: dict[int, _Path] = {}
        while (rank := quota.admit()) is not None:
            went[rank] = self._evaluate(stages, tasks[rank])
            quota.report(rank, went[rank].value)
        for at, stage in enumerate(stages):
            line, paths = self._line(stage), [went[rank] for rank in quota.decided]
            line.until_full = True
            line.records = sum(path.known > at for path in paths)
            line.redo = sum(path.known == at + 1 and path.is_redone for path in paths)
            line.may_follow = sum(path.known <= at and path.value is _UNKNOWN for path in paths)
            if others:
                line.may_follow += line.records - line.redo
        self._unsure += sum(self._line(stage).redo for stage in stages)
        return quota

    def _evaluate(self, stages: Sequence[MapStage[Any, Any]], record: Any) -> _Path:
        for at, stage in enumerate(stages):
            try:
                key = self._bench.key(stage, record)
            except StageError:  # its passage is one of those that would be made again
                return _Path(_UNKNOWN, at)
            done = self._bench.recall(stage, key)
            if done is None:
                return _Path(_UNKNOWN, at + 1, is_redone=True)
            if not isinstance(done.outcome, Kept):
                return _Path(None, at + 1)
            (record,) = done.outcome.outputs
        return _Path(record, len(stages))

    def run_barrier(self, stage: BarrierStage[Any, Any], records: Iterable[Any]) -> list[Any]:
        """What it made in the run before; it would run again when its input or settings changed."""
        line, keyed = self._line(stage), inputs_of(stage, records)
        line.records = len(keyed.records)
        done = recall_barrier(self._bench, stage, keyed)
        if done is not None:
            if self._unsure:
                line.may_follow = line.records
            return [o for d in done if isinstance(d.outcome, Kept) for o in d.outcome.outputs]
        if self._unsure:
            line.may_follow = line.records
        else:
            line.redo = line.records
        self._unsure += 1
        return recall_outputs(self._bench, stage)
