"""analyze: selected dialogues and everything that fell away -> `analysis/`: figures and report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy import __version__
from synth_dspy.dataset.shown import Shown
from synth_dspy.dialogues import Dialogue
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import write_json


@dataclass(frozen=True, slots=True)
class Around:
    """What the analysis looks at besides the dialogues, read when it runs.

    Attributes:
        rejected: what fell away, as it is shown; show: an accepted dialogue as it is shown.
        summaries: of all stages before it; steady: the same without anything volatile.
        distribution: asked and realised numbers of every dimension.
        rates: pass rates of each criterion.
    """

    show: Callable[[Dialogue], Shown]
    rejected: Callable[[], Sequence[Shown]]
    summaries: Callable[[], Mapping[str, Mapping[str, Any]]]
    steady: Callable[[], Mapping[str, Mapping[str, Any]]]
    distribution: Callable[[], Mapping[str, Any]]
    rates: Callable[[], Mapping[str, Any]]


class AnalyzeConversations(BarrierStage[Dialogue, Dialogue]):
    """Writes `statistics.json`, the plots and `report.html`, dialogues shown as bubbles."""

    name, folder, unit = "analyze", "analysis", "dialogues"
    output_type = Dialogue

    def __init__(self, run_dir: Path, title: str, around: Around) -> None:
        self._run_dir, self._title, self._around = run_dir, title, around

    def settings(self) -> object:
        # A report is as the version that drew it: another one draws it again, as it does the card.
        return (__version__, self._title, self._around.steady(), self._around.distribution())

    def products(self) -> tuple[Path, ...]:
        out = self._run_dir / self.folder
        return (out / "statistics.json", out / "report.html")

    def run(self, records: Sequence[Dialogue]) -> Sequence[Outcome]:
        # matplotlib takes a second to import; nothing else of a run needs it.
        from synth_dspy.dataset.plots import draw_plots
        from synth_dspy.dataset.report import write_report
        from synth_dspy.dataset.row_statistics import row_statistics

        out, around = self._run_dir / self.folder, self._around
        out.mkdir(parents=True, exist_ok=True)
        accepted = sorted(records, key=lambda one: (one.task.rank, one.id))
        rows = [*map(around.show, accepted), *around.rejected()]
        stats = {
            **row_statistics(rows, stage_summaries=around.summaries()),
            "distribution": around.distribution(),
            "pass_rates": around.rates(),
        }
        write_json(out / "statistics.json", stats)
        draw_plots(stats, out)
        write_report(stats, rows, out, self._run_dir, name=self._title)
        return [Kept((record,)) for record in records]
