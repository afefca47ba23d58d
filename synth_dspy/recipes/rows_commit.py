"""The commit pointer of rows: drafts in their order -> accepted rows, each on disk at once.

Drafts that the judge accepted enter, in the order of their batches; the file of accepted rows and,
where asked for, the user's files grow by those that are new and wanted. Everything here is made
again from the journals by every run, so nothing of it can be half.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from synth_dspy.dataset.row_files import LiveFile, RowSink
from synth_dspy.dataset.row_index import RowIndex
from synth_dspy.programs.row_formats import RowFormat
from synth_dspy.programs.row_records import Draft
from synth_dspy.records import digest
from synth_dspy.stages.row_export import Accepted, row_of

ACCEPTED = Path("accepted", "rows.jsonl")
"""In the run directory: values, source, metadata and cell of each accepted row, in order."""

QUERY = "query"
"""What the column `source` says of a row that came of no document."""


def targets(cells: tuple[str, ...], samples: int) -> dict[str, int]:
    """Rows wanted of each cell: equal shares, what is left to the first ones."""
    share, left = divmod(samples, len(cells))
    return {cell: share + (at < left) for at, cell in enumerate(cells)}


class Committer:
    """Accepts rows.

    Attributes:
        accepted: rows of each cell; refused: why others were not, by cell.
        extra: fields that replies had and the format has not, with their counts.
    """

    def __init__(
        self,
        run_dir: Path,
        made: RowFormat,
        wanted: Mapping[str, int],
        *,
        threshold: float,
        live: Mapping[str, Path],
    ) -> None:
        from synth_dspy.dataset.row_columns import arrow_schema

        self._run_dir, self._format, self.wanted = run_dir, made, dict(wanted)
        self.accepted: Counter[str] = Counter()
        self.refused: dict[str, Counter[str]] = {cell: Counter() for cell in wanted}
        self.extra: Counter[str] = Counter()
        self._index = RowIndex(threshold)
        self._file = LiveFile(run_dir / ACCEPTED)
        self._hash = hashlib.sha256()
        schema = arrow_schema(made.model) if live else None
        self._live = [RowSink(path, form, schema) for form, path in live.items()]

    @property
    def count(self) -> int:
        """Rows accepted."""
        return self.accepted.total()

    @property
    def missing(self) -> dict[str, int]:
        """Rows that cells still want; full cells are left out."""
        short = {cell: wanted - self.accepted[cell] for cell, wanted in self.wanted.items()}
        return {cell: count for cell, count in short.items() if count > 0}

    def commit(self, draft: Draft) -> bool:
        """Accept a draft if it is new and its cell not full; whether it was."""
        self.extra.update(draft.extra)
        values = draft.values
        cell = self._format.cell_of(values)
        if self.accepted[cell] >= self.wanted[cell]:
            self.refused[cell]["over_quota"] += 1
            return False
        texts = self._format.text_fields(values) or [orjson.dumps(values).decode()]
        repeat = self._index.repeat_of(texts, cell)
        if repeat is not None:
            self.refused[cell][repeat] += 1
            return False
        self._index.add(texts, cell)
        self.accepted[cell] += 1
        line = _line(draft, cell)
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        self._hash.update(data)
        self._file.append(data)
        for sink in self._live:
            sink.add(row_of(line))
        return True

    def close(self, *, whole: bool) -> Accepted:
        """Close the files; what was accepted. `whole`: they end with the last accepted row; else
        the run was cut short, and rows of an earlier one that follow stay until the next."""
        self._file.close(whole=whole)
        for sink in self._live:
            sink.close(whole=whole)
        self._index.close()
        return Accepted(str(ACCEPTED), self._hash.hexdigest(), self.count, self._format.name)


def _line(draft: Draft, cell: str) -> dict[str, Any]:
    judgement = asdict(draft.judgement) if draft.judgement else None
    if judgement is not None:
        judgement.pop("image_seen")
    return {
        "values": draft.values,
        "source": draft.source.get("path", QUERY),
        "cell": cell,
        "metadata": {
            "id": digest("row", draft.values)[:16],
            "source": draft.source or None,
            "spans": draft.spans or None,
            "persona": draft.persona or None,
            "steps": {name: asdict(step) for name, step in sorted(draft.steps.items())},
            "judgement": judgement,
        },
    }
