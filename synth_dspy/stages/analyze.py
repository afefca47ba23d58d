"""analyze: samples and everything around them -> `analysis/`: figures, plots and the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from synth_dspy import __version__
from synth_dspy.dataset.rejected import Rejected
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.records import Chunk, Sample
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import write_json

_SOURCE = ("path", "sha256", "revision", "cells", "pages", "heading")

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
        contamination: the report of benchmark items; None where there are no benchmarks.
    """

    chunks: Callable[[], Sequence[Chunk]]
    rejected: Callable[[], Sequence[Rejected]]
    summaries: Callable[[], Mapping[str, Mapping[str, Any]]]
    steady: Callable[[], Mapping[str, Mapping[str, Any]]]
    sweep: Callable[[], Sequence[Mapping[str, float]]]
    contamination: Callable[[], Mapping[str, Any] | None]


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
        around = self._around
        # A report is as the version that drew it: another one draws it again, as it does the card.
        return (__version__, self._title, self._ratios, around.steady(), around.contamination())

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
        from synth_dspy.dataset.show_samples import show_rejected, show_sample
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
            contamination=self._around.contamination(),
        )
        write_json(out / "statistics.json", stats)
        if show.plots:
            draw_plots(stats, out)
            rows = [*map(show_sample, samples), *map(show_rejected, rejected)]
            write_report(stats, rows, out, self._run_dir, name=self._title)


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
        errors=tuple(map(str, record.get("errors") or ())),
        metadata=_known(record, task, chunk),
    )


def _known(
    record: Mapping[str, Any], task: Mapping[str, Any], chunk: Mapping[str, Any]
) -> dict[str, Any]:
    """What is known of where it came from and who made it, as in a sample's metadata."""
    source = {name: chunk[name] for name in _SOURCE if chunk.get(name)}
    if "start" in chunk:
        source["span"] = [chunk["start"], chunk["end"]]
    known = {
        "task": task.get("id"),
        "source": source,
        **{name: record.get(name) for name in ("steps", "check", "judgement")},
    }
    return {name: value for name, value in known.items() if value}
