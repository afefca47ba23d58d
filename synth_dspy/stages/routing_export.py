"""export: examples -> `final/`, a Hugging Face dataset with its card, as Parquet and JSON lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.dataset.split import SPLITS
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.routing.figures import RULES
from synth_dspy.programs.routing.records import Example
from synth_dspy.programs.routing.registry import OptimizerConfig
from synth_dspy.records import digest
from synth_dspy.stages.contract import BarrierStage


@dataclass(frozen=True, slots=True)
class RoutingCard:
    """What the card says that examples do not know."""

    name: str
    description: str
    license: str
    content: str
    model: str
    seed: int
    ratios: tuple[float, float, float]


class ExportExamples(BarrierStage[Example, Example]):
    """Writes the dataset that `datasets.load_from_disk` opens. An equal query is kept once."""

    name, folder, unit = "export", "final", "examples"
    output_type = Example

    def __init__(self, run_dir: Path, optimizer: OptimizerConfig, card: RoutingCard) -> None:
        self._final = run_dir / self.folder
        self._optimizer, self._card = optimizer, card

    def settings(self) -> object:
        return (self._card, self._optimizer.name, self._optimizer.schema.model_json_schema())

    def products(self) -> tuple[Path, ...]:
        return (self._final / "dataset_dict.json", self._final / "README.md", self._final / "data")

    def run(self, records: Sequence[Example]) -> Sequence[Outcome]:
        first: dict[str, int] = {}
        for one in sorted(records, key=lambda one: one.rank):
            first.setdefault(one.query.lower(), one.rank)
        kept = [one for one in records if first[one.query.lower()] == one.rank]
        splits = split_by_source(kept, self._card.ratios, self._card.seed)
        if kept:
            self._write(sorted(kept, key=lambda one: one.rank), splits)
        return [
            Kept((replace(one, split=splits[one.source]),))
            if first[one.query.lower()] == one.rank
            else Dropped("duplicate_query", "an example before it has the same query", one)
            for one in records
        ]

    def _write(self, examples: Sequence[Example], splits: dict[str, str]) -> None:
        # datasets takes seconds to import; generation never needs it.
        from synth_dspy.dataset.folder import replacing
        from synth_dspy.dataset.schema_columns import columns_of, features_of
        from synth_dspy.dataset.tables import write_tables

        schema = self._optimizer.schema
        by_split: dict[str, list[dict[str, Any]]] = {}
        for split in SPLITS:
            if rows := [one.row for one in examples if splits[one.source] == split]:
                by_split[split] = rows
        with replacing(self._final) as part:
            batches = {split: [columns_of(schema, rows)] for split, rows in by_split.items()}
            write_tables(part, features_of(schema), batches)
            (part / "jsonl").mkdir()
            for split, rows in by_split.items():
                lines = b"".join(
                    orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows
                )
                (part / "jsonl" / f"{split}.jsonl").write_bytes(lines)
            (part / "README.md").write_text(self._told(examples, by_split), encoding="utf-8")

    def _told(self, examples: Sequence[Example], by_split: dict[str, list[dict[str, Any]]]) -> str:
        card, optimizer = self._card, self._optimizer
        labels = Counter(one.label for one in examples)
        by = Counter(one.query_by for one in examples)
        lines = [
            "---",
            f"license: {card.license}",
            f"pretty_name: {orjson.dumps(card.name).decode()}",
            "tags: [synthetic, routing]",
            "---",
            f"# {card.name}",
            "",
            card.description,
            "",
            (
                f"{len(examples)} examples for the optimizer `{optimizer.name}`: "
                f"{optimizer.description} Rows are `{optimizer.schema.__name__}`; made from "
                f"{card.content} by the model `{card.model}`."
            ),
            "",
            (
                "**Every number is synthetic**: success, confidence, quality, satisfaction, time "
                f"are derived by rule ({RULES}). Nothing was searched, run or asked of a user."
            ),
            "",
            "| split | rows |",
            "| --- | ---: |",
            *(f"| {split} | {len(rows)} |" for split, rows in by_split.items()),
            "",
            "| label | examples |",
            "| --- | ---: |",
            *(f"| {label} | {count} |" for label, count in sorted(labels.items())),
            "",
            (
                f"Queries by the model: {by['model']}; by rules, where its reply did not keep "
                f"to the order: {by['rules']}. Rows of one record are in one split."
            ),
        ]
        return "\n".join(lines) + "\n"


def split_by_source(
    examples: Sequence[Example], ratios: tuple[float, float, float], seed: int
) -> dict[str, str]:
    """The split of each source, so that sizes come near the ratios; by seed, not by order."""
    sizes = Counter(one.source for one in examples)
    held = dict.fromkeys(SPLITS, 0)
    asked = {s: ratio * len(examples) for s, ratio in zip(SPLITS, ratios, strict=True) if ratio > 0}
    found: dict[str, str] = {}
    for source in sorted(sizes, key=lambda source: digest(seed, source)):
        split = max(asked, key=lambda split: (asked[split] - held[split]) / asked[split])
        found[source] = split
        held[split] += sizes[source]
    return found
