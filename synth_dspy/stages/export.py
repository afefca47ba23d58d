"""export: samples -> `final/`, a Hugging Face dataset with its card, as Parquet and JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synth_dspy.dataset.chat import CHAT_FORMATS, ChatFormat
from synth_dspy.dataset.split import SPLITS
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.programs.types import TYPES
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
    licenses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """In what form the rows are written.

    Attributes:
        max_image_side: in pixels.
        chat_formats: conversations to write besides; those that an earlier export was asked for
            are written again, until their folder is removed.
    """

    max_image_side: int = 1024
    chat_formats: tuple[ChatFormat, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the run when the stage runs.

    Attributes:
        summaries: counts of the stages before it, without anything volatile.
        scan, contamination: what was found in the sources, and of benchmarks; None: not looked for.
        calibration: of the judge against people; None: never done.
        usage: calls, tokens and cost so far; command: what was typed. Both make nothing run again.
    """

    summaries: Callable[[], Summaries]
    scan: Callable[[], Mapping[str, Any] | None]
    contamination: Callable[[], Mapping[str, Any] | None]
    calibration: Callable[[], Mapping[str, Any] | None]
    usage: Callable[[], Mapping[str, float] | None]
    command: str


class Export(BarrierStage[Sample, Sample]):
    """Writes the dataset that `datasets.load_from_disk` opens."""

    name, folder, unit = "export", "final", "samples"
    journal = "journal.jsonl"
    output_type = Sample

    def __init__(self, run_dir: Path, text: CardText, form: Form, known: Known) -> None:
        self._run_dir, self._text, self._known = run_dir, text, known
        earlier = [c for c in CHAT_FORMATS if (run_dir / self.folder / "chat" / c).is_dir()]
        chats = tuple(dict.fromkeys((*form.chat_formats, *earlier)))
        self._form = replace(form, chat_formats=chats)

    def settings(self) -> object:
        known = self._known
        found = (known.scan(), known.contamination(), known.calibration())
        return (self._text, self._form, known.summaries(), *found)

    def products(self) -> tuple[Path, ...]:
        final = self._run_dir / self.folder
        chats = (final / "chat" / form for form in self._form.chat_formats)
        splits = (final / split for split in ("data", *SPLITS))
        return (final / "dataset_dict.json", final / "README.md", *splits, *chats)

    def run(self, records: Sequence[Sample]) -> Sequence[Outcome]:
        # datasets takes seconds to import; generation never needs it.
        from synth_dspy.dataset.card import dataset_card
        from synth_dspy.dataset.card_facts import CardFacts, models_of, sources_of
        from synth_dspy.dataset.export import export_dataset
        from synth_dspy.dataset.statistics import statistics

        text, known = self._text, self._known
        samples = sorted(records, key=lambda sample: sample.rank)
        facts = CardFacts(
            name=text.name,
            description=text.description,
            statistics=statistics(samples, stage_summaries=known.summaries(), ratios=text.ratios),
            license=text.license,
            models=models_of(samples),
            sources=sources_of(samples, licenses=dict(text.licenses)),
            types={kind.name: kind.form for kind in TYPES},
            command=known.command,
            config=text.config,
            seed=text.seed,
            version=text.version,
            calibration=known.calibration(),
            decontamination=known.contamination(),
            scan=known.scan(),
            usage=known.usage(),
        )
        export_dataset(
            samples,
            run_dir=self._run_dir,
            final=self._run_dir / self.folder,
            card=dataset_card(facts),
            max_image_side=self._form.max_image_side,
            chat_formats=self._form.chat_formats,
        )
        return [Kept((record,)) for record in records]
