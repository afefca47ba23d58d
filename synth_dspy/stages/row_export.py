"""export and analyze of rows: accepted rows -> `final/`, the user's files, figures and the report.

Both are barriers on one record, the `Accepted` rows: the rows themselves stay in their file and are
gone through, so that memory does not grow with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.config import Config
from synth_dspy.dataset.row_columns import OWN, arrow_schema
from synth_dspy.dataset.row_files import batches, write_file
from synth_dspy.dataset.row_splits import split_groups
from synth_dspy.dataset.split import SPLITS
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.programs.row_formats import RowFormat
from synth_dspy.records import digest
from synth_dspy.stages.contract import BarrierStage
from synth_dspy.store.run_directory import read_jsonl, write_json

SHOWN_ROWS = 4_000
"""Accepted rows that the report may choose from; figures are of all."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rows that were accepted, in a file of the run directory.

    Attributes:
        path: relative to the run directory; sha256: of its bytes.
    """

    path: str
    sha256: str
    count: int
    format: str


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What the card and the report say that rows do not know.

    Attributes:
        summaries: counts of the stages before; steady: the same without anything volatile.
        rejected: rows that stages dropped, as the report shows them.
        calibration: of the judge against gold; None: never done.
        command: what was typed; version: of synth-dspy.
    """

    summaries: Callable[[], Mapping[str, Mapping[str, Any]]]
    steady: Callable[[], Mapping[str, Mapping[str, Any]]]
    rejected: Callable[[], Sequence[Any]]
    calibration: Callable[[], Mapping[str, Any] | None]
    command: str
    version: str


class _OfRows(BarrierStage[Accepted, Accepted]):
    unit = "files"
    output_type = Accepted

    def __init__(self, config: Config, made: RowFormat, facts: RowFacts) -> None:
        self._config, self._format, self._facts = config, made, facts
        self._run_dir = config.output_dir

    def _lines(self, accepted: Accepted) -> Iterator[Line]:
        return read_jsonl(self._run_dir / accepted.path)

    def _rows(self, accepted: Accepted) -> Iterator[dict[str, Any]]:
        return (row_of(line) for line in self._lines(accepted))

    def _splits(self, accepted: Accepted) -> dict[str, str]:
        sizes = Counter(group_of(line) for line in self._lines(accepted))
        return split_groups(sizes, self._config.dataset.ratios, self._config.seed)

    def _statistics(self, accepted: Accepted, rows: Sequence[Any], volatile: bool) -> Any:
        from synth_dspy.dataset.row_statistics import row_statistics

        facts = self._facts
        stats = row_statistics(
            rows, stage_summaries=facts.summaries() if volatile else facts.steady()
        )
        splits, tallies = self._splits(accepted), {n: Counter[str]() for n in ("split", "source")}
        cells: Counter[str] = Counter()
        for line in self._lines(accepted):
            tallies["split"][splits[group_of(line)]] += 1
            tallies["source"][line["source"]] += 1
            cells[line["cell"]] += 1
        counts = stats["counts"] | {"type": {self._format.name: accepted.count}}
        counts["split"] = {
            name: tallies["split"][name] for name in SPLITS if tallies["split"][name]
        }
        counts["source"] = dict(tallies["source"].most_common())
        if len(self._format.cells) > 1:
            counts["category"] = {name: cells[name] for name in self._format.cells if cells[name]}
        ratios = dict(zip(SPLITS, self._config.dataset.ratios, strict=True))
        return {**stats, "total": accepted.count, "counts": counts, "splits": {"ratios": ratios}}


class ExportRows(_OfRows):
    """Writes the dataset, and the files that the user asked for."""

    name, folder = "export", "final"

    def files(self) -> dict[str, Path]:
        """The user's files by form."""
        return output_files(self._config, self._format)

    def settings(self) -> object:
        config, facts = self._config, self._facts
        schema = self._format.model.model_json_schema(mode="serialization")
        names = {form: str(path) for form, path in self.files().items()}
        asked = (config.dataset.model_dump(mode="json"), config.seed, digest(schema), names)
        return (*asked, facts.version, facts.steady(), facts.calibration())

    def products(self) -> tuple[Path, ...]:
        final = self._run_dir / self.folder
        splits = (final / name for name in ("data", *SPLITS))
        return (final / "dataset_dict.json", final / "README.md", *splits, *self.files().values())

    def run(self, records: Sequence[Accepted]) -> Sequence[Outcome]:
        # datasets takes seconds to import; generation never needs it.
        import datasets

        from synth_dspy.dataset.folder import replacing
        from synth_dspy.dataset.row_columns import as_stored
        from synth_dspy.dataset.tables import write_tables

        (accepted,) = records
        schema, splits = arrow_schema(self._format.model), self._splits(accepted)
        for form, path in self.files().items():
            write_file(path, form, self._rows(accepted), schema)

        def columns(split: str) -> Iterator[dict[str, list[Any]]]:
            of_split = (
                as_stored(row_of(line), schema)
                for line in self._lines(accepted)
                if splits[group_of(line)] == split
            )
            for batch in batches(of_split):
                yield {name: [row[name] for row in batch] for name in schema.names}

        present = [name for name in SPLITS if name in set(splits.values())]
        with replacing(self._run_dir / self.folder) as part:
            features = datasets.Features.from_arrow_schema(schema)
            write_tables(part, features, {name: columns(name) for name in present})
            (part / "README.md").write_text(self._card(accepted), encoding="utf-8")
        return [Kept((accepted,))]

    def _card(self, accepted: Accepted) -> str:
        from synth_dspy.dataset.card import dataset_card
        from synth_dspy.dataset.card_facts import CardFacts, ModelFact, SourceFact

        dataset, facts = self._config.dataset, self._facts
        models: set[ModelFact] = set()
        sources: Counter[tuple[str, str, str, str]] = Counter()
        licenses = {source.name: source.license for source in self._config.sources}
        for line in self._lines(accepted):
            known = line["metadata"]["source"]
            for step, one in line["metadata"]["steps"].items():
                models.add(ModelFact(step, one["model"], one["program"]))
            if known:
                license_ = licenses.get(known["name"], "")
                sources[known["path"], known["sha256"], license_, known["revision"]] += 1
        described = self._format.model.model_fields
        return dataset_card(
            CardFacts(
                name=dataset.name,
                description=dataset.description,
                statistics=self._statistics(accepted, self._shown(accepted), volatile=False),
                license=dataset.license,
                recipe="rows",
                columns={
                    **{
                        n: info.description or "a field of the format"
                        for n, info in described.items()
                    },
                    OWN[0]: "relative path of the document, or `query`",
                    OWN[1]: "JSON: provenance, spans, models, judge",
                },
                types={self._format.name: self._format.form},
                how=_HOW,
                models=tuple(sorted(models)),
                sources=tuple(
                    sorted(SourceFact(p, s, n, lic, rev) for (p, s, lic, rev), n in sources.items())
                ),
                command=facts.command,
                config=str(self._config.file or ""),
                seed=self._config.seed,
                version=facts.version,
                calibration=facts.calibration(),
            )
        )

    def _shown(self, accepted: Accepted) -> list[Any]:
        return shown_rows(self._lines(accepted), self._format, self._splits(accepted))


class AnalyzeRows(_OfRows):
    """Writes `statistics.json`, the plots and `report.html`."""

    name, folder = "analyze", "analysis"

    def settings(self) -> object:
        # A report is as the version that drew it: another one draws it again, as it does the card.
        return (self._facts.version, self._config.dataset.name, self._facts.steady())

    def products(self) -> tuple[Path, ...]:
        out = self._run_dir / self.folder
        return (out / "statistics.json", out / "report.html")

    def run(self, records: Sequence[Accepted]) -> Sequence[Outcome]:
        # matplotlib takes a second to import; nothing else of a run needs it.
        from synth_dspy.dataset.plots import draw_plots
        from synth_dspy.dataset.report import write_report

        (accepted,) = records
        out = self._run_dir / self.folder
        out.mkdir(parents=True, exist_ok=True)
        accepted_rows = shown_rows(self._lines(accepted), self._format, self._splits(accepted))
        rows = [*accepted_rows, *self._facts.rejected()]
        stats = self._statistics(accepted, rows, volatile=True)
        write_json(out / "statistics.json", stats)
        draw_plots(stats, out)
        write_report(stats, rows, out, self._run_dir, name=self._config.dataset.name)
        return [Kept((accepted,))]


def output_files(config: Config, made: RowFormat) -> dict[str, Path]:
    """The user's files by form: `<prefix>_<format>_<from_query|from_docs>.<ext>`."""
    rows = config.rows
    stem = f"{rows.output_prefix}_{made.name}_{rows.origin}"
    forms = dict.fromkeys(rows.output_formats)
    return {form: Path.cwd() / Path(f"{stem}.{form}").expanduser() for form in forms}


def row_of(line: Line) -> dict[str, Any]:
    """A row as users see it: the format's columns, its source, and its provenance as JSON."""
    metadata = orjson.dumps(line["metadata"], option=orjson.OPT_SORT_KEYS).decode()
    return {**line["values"], "source": line["source"], "metadata": metadata}


def group_of(line: Line) -> str:
    """What must not be divided between splits: a section, or rows with the same first text."""
    known = line["metadata"]["source"]
    if known:
        return digest(known["path"], known["heading"])
    texts = (value for value in line["values"].values() if isinstance(value, str))
    return digest(next(texts, "").casefold().strip())


def shown_rows(lines: Iterator[Line], made: RowFormat, splits: Mapping[str, str]) -> list[Any]:
    """The first accepted rows, as a report shows them."""
    from itertools import islice

    from synth_dspy.dataset.show_rows import show_row

    return [
        show_row(
            line["metadata"]["id"],
            line["values"],
            facets={
                "type": made.name,
                "category": line["cell"] if len(made.cells) > 1 else "",
                "split": splits[group_of(line)],
            },
            metadata=line["metadata"],
            source=line["source"],
        )
        for line in islice(lines, SHOWN_ROWS)
    ]


_HOW = (
    "A model writes rows in batches, each from a passage of the documents or from subjects of the "
    "request, and is shown what was written before; every row is held to its format's schema and "
    "judged. Rows are accepted in a fixed order: of repeats the first stays, and labels or ranges "
    "of scores are filled evenly. Rows of one section are always in one split."
)
