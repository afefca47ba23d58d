"""The formats of rows: what a row is, which of its fields are texts, and what is balanced.

A name or a pydantic model enters, a `RowFormat` leaves; a value enters, a validated row or what is
wrong with it leaves. It asks no model and reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from signatures.rows import Pair, PairClass, PairScore, Qa, Triplet

LABELS = ("entailment", "neutral", "contradiction")
"""What the labels 0, 1 and 2 of `pair-class` are called."""

BINS = ("0.0-0.2", "0.2-0.4", "0.4-0.6", "0.6-0.8", "0.8-1.0")
"""Ranges that scores of `pair-score` are spread over."""

ONE_CELL = "rows"
"""The cell of a format in which nothing is balanced."""

RESERVED = ("source", "metadata")
"""Columns that every dataset has besides its format's."""

Row = Mapping[str, Any]


def _one_cell(_: Row) -> str:
    return ONE_CELL


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A format.

    Attributes:
        name: in file names; form: what a row of it is, for models and the card.
        cells: what is balanced; cell_of: the cell of a row.
        names: spelled values that stand for others, by field: `entailment` for the label 0.
        distinct: fields whose texts must differ from one another.
    """

    name: str
    form: str
    model: type[BaseModel]
    cells: tuple[str, ...] = (ONE_CELL,)
    cell_of: Callable[[Row], str] = _one_cell
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    distinct: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self.model.model_fields)

    def validated(self, value: object) -> tuple[dict[str, Any], str, tuple[str, ...]]:
        """A row, what is wrong with it ("" for nothing), and names of fields that it has besides.

        Nothing is coerced but what loses nothing: a whole number where one with a point is asked
        for, 2.0 where a whole one is, a label by its name.
        """
        if not isinstance(value, Mapping):
            return {}, f"a row is an object, and this is {_kind(value)}", ()
        given = {str(name): inner for name, inner in value.items()}
        extra = tuple(sorted(set(given) - set(self.fields)))
        known = {name: inner for name, inner in self._spelled(given).items() if name not in extra}
        try:
            # As JSON: strictness then allows what JSON has no type for, an enum's or a date's text.
            made = self.model.model_validate_json(orjson.dumps(known), strict=True)
            row = made.model_dump(mode="json")
        except TypeError as error:  # half a surrogate pair, a number past 64 bits
            return {}, f"not JSON: {error}"[:400], extra
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            return given, f"{where}: {first['msg']}, not {first['input']!r}"[:400], extra
        texts = [str(row[name]).casefold() for name in self.distinct]
        if len(set(texts)) < len(texts):
            return row, f"{' and '.join(self.distinct)} must differ", extra
        return row, "", extra

    def _spelled(self, given: dict[str, Any]) -> dict[str, Any]:
        spelled = dict(given)
        for name, value in given.items():
            known = self.names.get(name, ())
            if isinstance(value, str) and value.strip().casefold() in known:
                spelled[name] = known.index(value.strip().casefold())
            elif isinstance(value, float) and value.is_integer() and self._is_whole(name):
                spelled[name] = int(value)
        return spelled

    def _is_whole(self, name: str) -> bool:
        info = self.model.model_fields.get(name)
        return info is not None and (name in self.names or info.annotation in (int, int | None))

    def text_fields(self, row: Row) -> list[str]:
        """The texts of a row: what makes two rows the same."""
        return [str(value) for value in row.values() if isinstance(value, str)]

    def written(self, row: Row) -> str:
        """The row as judges read it: a field a line, labels by name."""
        lines = []
        for name, value in row.items():
            names = self.names.get(name)
            shown = names[value] if names and isinstance(value, int) else value
            lines.append(f"{name}: {'' if shown is None else shown}")
        return "\n".join(lines)


def brief_of(row: Row) -> str:
    """A row in a line, for a list of what not to repeat: its texts, the first 200 characters."""
    return " | ".join(str(v) for v in row.values() if isinstance(v, str))[:200]


def _label_cell(row: Row) -> str:
    return LABELS[row["label"]]


def _score_cell(row: Row) -> str:
    return BINS[min(int(row["score"] * len(BINS)), len(BINS) - 1)]


def _kind(value: object) -> str:
    return {str: "a text", int: "a number", float: "a number", list: "a list"}.get(
        type(value), "none"
    )


FORMATS: dict[str, RowFormat] = {
    made.name: made
    for made in (
        RowFormat(
            "pair-class",
            "a premise, a hypothesis, and a label: 0 entailment, 1 neutral, 2 contradiction",
            PairClass,
            cells=LABELS,
            cell_of=_label_cell,
            names={"label": LABELS},
            distinct=("premise", "hypothesis"),
        ),
        RowFormat(
            "pair-score",
            "two sentences and a score from 0 (nothing in common) to 1 (they say the same)",
            PairScore,
            cells=BINS,
            cell_of=_score_cell,
        ),
        RowFormat(
            "pair",
            "an anchor (what somebody searches or asks for) and a positive that answers it",
            Pair,
            distinct=("anchor", "positive"),
        ),
        RowFormat(
            "triplet",
            "an anchor, a positive that answers it, and a hard negative: near it, but no answer",
            Triplet,
            distinct=("anchor", "positive", "negative"),
        ),
        RowFormat(
            "qa",
            "a context, a question on it, and the answer that the context supports",
            Qa,
            distinct=("question", "answer"),
        ),
    )
}
