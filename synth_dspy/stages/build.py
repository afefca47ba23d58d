"""build: finished candidates -> samples with their splits. A barrier.

Takes candidates in rank order until each cell is full, leaves out what the rules of admission
refuse, and divides what stays. It drops nothing else, so it decides exactly what a streaming run
committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synth_dspy.dataset.admission import Admission, Rules
from synth_dspy.dataset.contamination import Found, contamination_report
from synth_dspy.dataset.decontaminate import Hit
from synth_dspy.dataset.quota import Quota
from synth_dspy.dataset.scan_policy import Refusal
from synth_dspy.dataset.split import split_samples
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.module import image_text
from synth_dspy.records import Candidate, Sample, Task, digest
from synth_dspy.stages.allocation import Cell
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import write_json, write_jsonl

EXTRA = "extra_samples.jsonl"
_EXCERPT_CHARS = 200


class Committer:
    """Keeps what is committed, and says of a finished candidate whether it is left out.

    Attributes:
        samples: what was committed, by rank; refused: why others were not.
        hits: benchmark items that refused samples repeat.
    """

    def __init__(self, rules: Rules) -> None:
        self.samples: dict[int, Sample] = {}
        self.refused: dict[int, Dropped] = {}
        self._admission = Admission(rules)

    @property
    def hits(self) -> list[Hit]:
        return self._admission.hits

    def is_left_out(self, rank: int, candidate: Candidate) -> bool:
        """Whether it is refused; if not, it is committed under `rank`."""
        admitted = self._admission.admit(sample_of(candidate, rank))
        if isinstance(admitted, Refusal):
            self.refused[rank] = Dropped(admitted.reason, admitted.detail, candidate)
            return True
        self.samples[rank] = admitted
        return False


class Build(BarrierStage[Candidate, Sample]):
    """Commits, deduplicates and splits.

    Args:
        tasks: gives the tasks in rank order when the stage runs.
        contamination: where the report of benchmark items goes; written where there are any.
        passages: gives the hits in the passages of the sources when the stage runs.
    """

    name, folder, unit = "build", "splits", "samples"
    aliases = ("samples",)
    output_type = Sample

    def __init__(
        self,
        folder: Path,
        *,
        tasks: Callable[[], Sequence[Task]],
        targets: Mapping[Cell, int],
        ratios: tuple[float, float, float],
        rules: Rules,
        keep_extra: bool,
        seed: int,
        contamination: Path,
        passages: Callable[[], Sequence[Found]] = tuple,
    ) -> None:
        self._folder = folder
        self._tasks, self._targets = tasks, dict(targets)
        self._ratios, self._seed = ratios, seed
        self._rules, self._keep_extra = rules, keep_extra
        self._contamination, self._passages = contamination, passages

    def settings(self) -> object:
        targets = sorted((*cell, count) for cell, count in self._targets.items())
        order = [task.id for task in self._tasks()]
        rules = (self._rules.identity(), self._keep_extra)
        return (digest(order), targets, self._ratios, self._seed, rules, self._checked_passages())

    def _checked_passages(self) -> object:
        return [found.hit for found in self._passages()] if self._rules.benchmarks.paths else []

    def products(self) -> tuple[Path, ...]:
        extra = (self._folder / EXTRA,) if self._keep_extra else ()
        return (*extra, self._contamination) if self._rules.benchmarks.paths else extra

    def run(self, records: Sequence[Candidate]) -> Sequence[Outcome]:
        tasks = self._tasks()
        ranks = {task.id: rank for rank, task in enumerate(tasks)}
        finished = {ranks[record.task.id]: record for record in records if record.task.id in ranks}
        order = sorted(finished)
        cells: list[Cell] = [(tasks[rank].type, tasks[rank].modality) for rank in order]
        committer = Committer(self._rules)
        quota: Quota[Cell, tuple[int, Candidate]] = Quota(
            cells, self._targets, lambda _, value: committer.is_left_out(*value)
        )
        while (at := quota.admit()) is not None:
            quota.report(at, (order[at], finished[order[at]]))
        split = split_samples(
            [committer.samples[rank] for rank in sorted(committer.samples)],
            ratios=self._ratios,
            seed=self._seed,
            extra_groups={sample.id: _section(sample) for sample in committer.samples.values()},
        )
        by_rank = {sample.rank: sample for sample in split}
        extra = [rank for rank in order if rank not in by_rank and rank not in committer.refused]
        if self._keep_extra:
            write_jsonl(self._folder / EXTRA, (sample_of(finished[rank], rank) for rank in extra))
        if self._rules.benchmarks.paths:
            self._report(committer, {sample_of(finished[r], r).id: finished[r] for r in order})
        outcomes: list[Outcome] = []
        for record in records:
            rank = ranks.get(record.task.id)
            if rank in by_rank:
                outcomes.append(Kept((by_rank[rank],)))
            elif rank in committer.refused:
                outcomes.append(committer.refused[rank])
            elif rank is None:
                outcomes.append(Dropped("not_planned", "its task is no longer in the plan"))
            else:
                outcomes.append(Dropped("over_quota", "its cell was full"))
        return outcomes

    def _report(self, committer: Committer, finished: Mapping[str, Candidate]) -> None:
        hits = [
            Found(hit, candidate.chunk.path, candidate.question[:_EXCERPT_CHARS])
            for hit in committer.hits
            for candidate in (finished[hit.sample_id],)
        ]
        report = contamination_report(
            self._rules.benchmarks,
            passages=self._passages(),
            samples=hits,
            checked=len(committer.samples) + len(committer.refused),
        )
        write_json(self._contamination, report)


def sample_of(candidate: Candidate, rank: int) -> Sample:
    """The row of a finished candidate, with its provenance."""
    task, chunk, image = candidate.task, candidate.chunk, candidate.image
    content = digest(candidate.question, candidate.answer, candidate.test_code, task.image_id)
    return Sample(
        id=digest("sample", task.id, content)[:16],
        rank=rank,
        question=candidate.question,
        answer=candidate.answer,
        category=candidate.category,
        type=task.type,
        difficulty=task.difficulty,
        test_code=candidate.test_code,
        entry_point=candidate.entry_point,
        image=image.path if image else "",
        has_image=image is not None,
        code_context=_code_context(candidate),
        source=chunk.path,
        metadata=_provenance(candidate, rank),
        chunk_id=chunk.id,
    )


def _section(sample: Sample) -> str:
    """The section of the document: its chunks overlap, so it must not be divided."""
    return digest(sample.source, sample.metadata["source"]["heading"])


def _code_context(candidate: Candidate) -> str:
    """The code that the question stands on: the image's, else what ran before the passage.

    Never code that defines the entry point: whoever trains with this column would train on the
    answer.
    """
    image, name = candidate.image, candidate.entry_point
    context = image.code if image is not None and image.code else candidate.chunk.prior_code
    return "" if name and f"def {name}(" in context else context


def _provenance(candidate: Candidate, rank: int) -> dict[str, Any]:
    chunk, image = candidate.chunk, candidate.image
    judgement = asdict(candidate.judgement) if candidate.judgement else None
    if judgement is not None and not judgement.pop("image_seen"):
        judgement["image"] = "unverified (caption only)"
    return {
        "task": candidate.task.id,
        "rank": rank,
        "source": chunk.provenance,
        "image": None
        if image is None
        else {
            "sha256": image.sha256,
            "origin": image.origin,
            "ref": image.ref,
            "cell": image.cell,
            "page": image.page,
            "kind": image.category,
            "description": image_text(image),
        },
        "steps": {name: asdict(step) for name, step in sorted(candidate.steps.items())},
        "check": asdict(candidate.check) if candidate.check else None,
        "judgement": judgement,
    }
