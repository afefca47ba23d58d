"""Gold sets on disk: `configs/gold/<recipe>/<step>.jsonl`, one labelled example a line.

A step's name or a file enters, a `GoldSet` leaves. A user's own file in the working directory goes
before the shipped one. Whether the set is any good, `check_gold` says.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from synth_dspy.errors import UserError
from synth_dspy.optimize.gold_check import GoldReport, check_gold
from synth_dspy.optimize.gold_records import SPLITS, GoldItem, GoldSet, SplitName
from synth_dspy.optimize.gold_steps import GOLD_STEPS, GoldStep, gold_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "GOLD_STEPS", "SPLITS", "GoldItem", "GoldReport", "GoldSet", "GoldStep", "SplitName",
    "check_gold", "gold_path", "gold_set", "gold_step", "load_gold", "write_gold",
]  # fmt: skip

_FOLDER = Path("configs") / "gold"
_TEXTS = ("id", "split", "source", "license")
_KEYS = ("id", "split", "inputs", "labels", "source", "license")


def gold_path(step: str) -> Path:
    """The file of a step: of the working directory, of this checkout, or as installed.

    Raises:
        UserError: there is no such step, or no file for it.
    """
    of = gold_step(step)
    file = Path(of.recipe) / f"{of.name}.jsonl"
    package = Path(__file__).resolve().parents[1]
    places = (_FOLDER / file, package.parent / _FOLDER / file, package / "_configs" / "gold" / file)
    for place in places:
        if place.is_file():
            return place
    raise UserError(f"{places[0]} is not there: name a gold set with --gold FILE.")


def load_gold(step: str, path: Path | None = None) -> GoldSet:
    """The gold of a step.

    Raises:
        UserError: the step is unknown, the file is missing, or a line is not a gold item.
    """
    of = gold_step(step)
    file = path or gold_path(step)
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"The gold set {file} cannot be read: {error.strerror}.") from error
    items = [_item(line, f"{file}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]
    return gold_set(of.name, items)


def gold_set(step: str, items: Iterable[GoldItem]) -> GoldSet:
    """A gold set of items, with the hash of their content."""
    kept = tuple(items)
    content = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    return GoldSet(step, kept, hashlib.sha256(content).hexdigest())


def write_gold(path: Path, items: Sequence[GoldItem]) -> None:
    """Write a gold set that `load_gold` reads; a file that is there is replaced at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(b"".join(orjson.dumps(i, option=orjson.OPT_APPEND_NEWLINE) for i in items))
    part.replace(path)


def _item(line: bytes, where: str) -> GoldItem:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UserError(
            f"{where}: not JSON ({error}); one JSON object a line is needed."
        ) from error
    if not isinstance(found, dict) or set(found) != set(_KEYS):
        have = ", ".join(sorted(found)) if isinstance(found, dict) else type(found).__name__
        raise UserError(f"{where}: a gold item has exactly {', '.join(_KEYS)}; found {have}.")
    for name in _TEXTS:
        if not isinstance(found[name], str) or not found[name].strip():
            raise UserError(f"{where}: {name} must be a text that is not empty.")
    if found["split"] not in SPLITS:
        raise UserError(f"{where}: split is {found['split']!r}; splits are {', '.join(SPLITS)}.")
    for name in ("inputs", "labels"):
        _check_object(found[name], f"{where}: {name}")
    return GoldItem(**found)


def _check_object(value: Any, where: str) -> None:
    if not isinstance(value, dict) or not value:
        raise UserError(f"{where} must be an object of fields and values.")
