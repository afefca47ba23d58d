"""export: samples -> `final/`, a Hugging Face dataset with its card and the rows as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.records import Sample
from synth_dspy.stages.contract import BarrierStage

Summaries = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CardText:
    """What the card says that samples do not know."""

    name: str
    description: str
    license: str
    config: str
    seed: int
    version: str
    ratios: tuple[float, float, float]


class Export(BarrierStage[Sample, Sample]):
    """Writes the dataset that `datasets.load_from_disk` opens.

    Args:
        summaries: gives the counts of the stages before it, without anything volatile.
    """

    name, folder, unit = "export", "final", "samples"
    journal = "journal.jsonl"
    output_type = Sample

    def __init__(self, run_dir: Path, text: CardText, summaries: Callable[[], Summaries]) -> None:
        self._run_dir, self._text, self._summaries = run_dir, text, summaries

    def settings(self) -> object:
        return (self._text, self._summaries())

    def products(self) -> tuple[Path, ...]:
        final = self._run_dir / self.folder
        return (final / "dataset_dict.json", final / "README.md", final / "data")

    def run(self, records: Sequence[Sample]) -> Sequence[Outcome]:
        # datasets takes seconds to import; generation never needs it.
        from synth_dspy.dataset.card import dataset_card
        from synth_dspy.dataset.card_facts import CardFacts, models_of, sources_of
        from synth_dspy.dataset.export import export_dataset
        from synth_dspy.dataset.statistics import statistics

        text = self._text
        samples = sorted(records, key=lambda sample: sample.rank)
        facts = CardFacts(
            name=text.name,
            description=text.description,
            statistics=statistics(samples, stage_summaries=self._summaries(), ratios=text.ratios),
            license=text.license,
            models=models_of(samples),
            sources=sources_of(samples),
            command=f"python -m synth_dspy.run --config {text.config}",
            config=text.config,
            seed=text.seed,
            version=text.version,
        )
        export_dataset(
            samples,
            run_dir=self._run_dir,
            final=self._run_dir / self.folder,
            card=dataset_card(facts),
        )
        return [Kept((record,)) for record in records]
