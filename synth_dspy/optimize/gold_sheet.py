"""The review sheet: a CSV in which people label samples, and the gold items that come of it.

Items without labels enter and a sheet leaves; a labelled sheet enters and items leave. A cell that
a spreadsheet would take for a formula is written with an apostrophe before it, and read without.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold_labels import label_fault
from synth_dspy.optimize.gold_records import GoldItem, SplitName
from synth_dspy.optimize.gold_steps import SAID, GoldStep
from synth_dspy.optimize.metrics import truth

# What spreadsheets begin a formula with (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_JSON = ("[", "{", '"')
_ENDS = ("source", "license")
_SHARES: tuple[tuple[int, SplitName], ...] = ((30, "train"), (50, "validation"), (100, "heldout"))
"""Per cent of groups up to which an item is in a split: 30 train, 20 validation, 50 held out."""


def write_sheet(step: GoldStep, items: Sequence[GoldItem]) -> str:
    """The sheet's text: id, what is to be judged, empty columns for labels, source and licence."""
    inputs = list(dict.fromkeys(name for item in items for name in item.inputs))
    columns = ["id", *inputs, *map(_label_column, step.labels), *_ENDS]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for item in items:
        values = [_written(item.inputs.get(name, "")) for name in inputs]
        blank = [""] * len(step.labels)
        row = [item.id, *values, *blank, item.source, item.license]
        writer.writerow([_safe(cell) for cell in row])
    return text.getvalue()


def read_sheet(step: GoldStep, text: str, where: str) -> tuple[list[GoldItem], int]:
    """The labelled rows as items, and how many rows bear no label.

    Items of one passage are always in one split, which a hash of it decides.

    Raises:
        UserError: a column is missing, or a row's labels are incomplete or wrong.
    """
    # Python's own limit, 131,072 characters a field, is below what a passage may have.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    try:
        rows = list(
            csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        )
    except csv.Error as error:
        raise UserError(f"{where} is not CSV: {error}.") from error
    labels = {name: _label_column(name) for name in step.labels}
    needed = ("id", *step.inputs, *labels.values(), *_ENDS)
    have = list(rows[0]) if rows else []
    missing = [name for name in needed if name not in have]
    if missing:
        raise UserError(
            f"{where}: the column {', '.join(missing)} is missing; `gold export` writes them all."
        )
    inputs = [name for name in have if name not in {"id", *labels.values(), *_ENDS}]
    items, blank = [], 0
    for number, row in enumerate(rows, 2):
        place = f"{where}, row {number}"
        if None in row or None in row.values():
            raise UserError(f"{place}: it has more or fewer cells than the first row.")
        if not any(row[column].strip() for column in labels.values()):
            blank += 1
            continue
        items.append(_item(step, row, inputs, labels, place))
    return items, blank


def _delimiter(text: str) -> str:
    """What parts the cells: spreadsheets write `;` where a comma is the decimal point."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _item(
    step: GoldStep, row: dict[str, str], inputs: Sequence[str], labels: dict[str, str], place: str
) -> GoldItem:
    values = {name: _read(_plain(row[name])) for name in inputs}
    found: dict[str, Any] = {}
    for name, column in labels.items():
        said = _plain(row[column]).strip()
        if not said and name not in SAID:
            raise UserError(f"{place}: {column} is empty; label the whole row, or none of it.")
        found[name] = truth(said) if name in (*step.criteria, "possible") else _read(said)
        if found[name] is None:
            raise UserError(f"{place}: {column} is {said!r}; write true or false.")
    if "reason" in found and not found["reason"]:
        unmet = [name for name in step.criteria if not found[name]]
        found["reason"] = f"Not {', not '.join(unmet)}." if unmet else "Every criterion is met."
    if "issues" in found and not found["issues"]:
        found["issues"] = []
    source, license_ = (_plain(row[name]).strip() for name in _ENDS)
    if not source or not license_:
        raise UserError(f"{place}: source and license must say where it comes from.")
    item = GoldItem(row["id"].strip(), _split(step, values), values, found, source, license_)
    if not item.id:
        raise UserError(f"{place}: id is empty.")
    if fault := label_fault(step, item):
        raise UserError(f"{place}: {fault}")
    return item


def _split(step: GoldStep, inputs: dict[str, Any]) -> SplitName:
    """By what the item is about: its passage, facts or task, whatever is compared first."""
    about = str(inputs.get(step.compared[0], ""))
    percent = int.from_bytes(hashlib.sha256(about.encode()).digest()[:8]) % 100
    return next(split for most, split in _SHARES if percent < most)


def _label_column(name: str) -> str:
    return f"label: {name}"


def _written(value: Any) -> str:
    plain = isinstance(value, str) and not value.startswith(_JSON) and value != "null"
    return value if plain else orjson.dumps(value).decode()


def _read(cell: str) -> Any:
    """A cell's value: of JSON where `_written` made it JSON, else its text."""
    if not cell.startswith(_JSON) and cell != "null":
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    risky = cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA)
    return cell[1:] if risky else cell


def merged(old: Iterable[GoldItem], new: Iterable[GoldItem]) -> list[GoldItem]:
    """Both sets; an item of `new` takes the place of the old one with its id."""
    return list(({item.id: item for item in old} | {item.id: item for item in new}).values())
