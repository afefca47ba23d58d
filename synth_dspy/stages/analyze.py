"""analyze: samples and everything around them -> `analysis/`: figures, plots and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from synth_dspy.dataset.rejected import Rejected
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.records import Chunk, Sample
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import write_json

SourceOfSamples = Literal["splits", "generated", "final"]
"""Where samples to analyse come from: what was built, what was finished, what was exported."""


@dataclass(frozen=True, slots=True)
class Show:
    """What an analysis holds besides figures of the samples.

    Attributes:
        plots: the plots and the report; without them, `statistics.json` alone.
        allocation: how passages were used, and what other diversity weights would do.
        pipeline: the stages: what fell away, what it cost, what was rejected.
    """

    plots: bool = True
    allocation: bool = True
    pipeline: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the analysis looks at besides the samples, read when it runs.

    Attributes:
        summaries: of all stages before it, in order, with times and costs.
        steady: the same without anything volatile; decides whether the analysis is still true.
        sweep: what allocation would do at other diversity weights.
    """

    chunks: Callable[[], Sequence[Chunk]]
    rejected: Callable[[], Sequence[Rejected]]
    summaries: Callable[[], Mapping[str, Mapping[str, Any]]]
    steady: Callable[[], Mapping[str, Mapping[str, Any]]]
    sweep: Callable[[], Sequence[Mapping[str, float]]]


class Analyze(BarrierStage[Sample, Sample]):
    """Writes `statistics.json`, the plots and `report.html`."""

    name, folder, unit = "analyze", "analysis", "samples"
    output_type = Sample

    def __init__(
        self, run_dir: Path, title: str, around: Surroundings, ratios: tuple[float, float, float]
    ) -> None:
        self._run_dir, self._title = run_dir, title
        self._around, self._ratios = around, ratios

    def settings(self) -> object:
        return (self._title, self._ratios, self._around.steady())

    def products(self) -> tuple[Path, ...]:
        out = self._run_dir / self.folder
        return (out / "statistics.json", out / "report.html", out / "overview_dashboard.png")

    def run(self, records: Sequence[Sample]) -> Sequence[Outcome]:
        self.write(records, self._run_dir / self.folder, Show())
        return [Kept((record,)) for record in records]

    def write(self, records: Sequence[Sample], out: Path, show: Show) -> None:
        """Write the analysis of `records` to the folder `out`."""
        # matplotlib takes a second to import; nothing else of a run needs it.
        from synth_dspy.dataset.plots import draw_plots
        from synth_dspy.dataset.report import write_report
        from synth_dspy.dataset.statistics import statistics

        out.mkdir(parents=True, exist_ok=True)
        samples = sorted(records, key=lambda sample: sample.rank)
        rejected = self._around.rejected() if show.pipeline else ()
        stats = statistics(
            samples,
            self._around.chunks() if show.allocation else (),
            stage_summaries=self._around.summaries() if show.pipeline else {},
            rejected=rejected,
            ratios=self._ratios,
            sweep=self._around.sweep() if show.allocation else (),
        )
        write_json(out / "statistics.json", stats)
        if show.plots:
            draw_plots(stats, samples, out)
            write_report(stats, samples, rejected, out, self._run_dir, name=self._title)


def rejection(stage: str, dropped: Dropped) -> Rejected:
    """A drop as the report shows it; what was dropped is as complete as it had become."""
    record = dropped.record if isinstance(dropped.record, dict) else {}
    task = record.get("task") or {}
    chunk = record.get("chunk") or {}
    images = {image["id"]: image["path"] for image in chunk.get("images", ())}
    return Rejected(
        stage=stage,
        reason=dropped.reason,
        detail=dropped.detail,
        question=record.get("question", ""),
        type=task.get("type", ""),
        source=str(chunk.get("path") or record.get("path") or ""),
        answer=record.get("answer", ""),
        test_code=record.get("test_code", ""),
        category=record.get("category", ""),
        difficulty=task.get("difficulty", ""),
        image=images.get(task.get("image_id", ""), ""),
        modality=task.get("modality", ""),
    )
