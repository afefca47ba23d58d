"""The offline model's rows: an `Ask` for rows, a refined request or a verdict -> its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from synth_dspy.lm.offline import rows_judge, rows_labels, rows_pairs, verdicts
from synth_dspy.lm.offline.fields import Ask

Row = dict[str, object]
Values = Mapping[str, object]

_LABELS = {"entailment": 0, "neutral": 1, "contradiction": 2}
_WANTED = re.compile(r"^(?P<name>.+): (?P<count>\d+)$")


def write_rows(ask: Ask) -> Values:
    """Rows of one of the five formats from the passage; none of any other, and none without it."""
    passage, contrast = ask.text("passage"), ask.text("contrast")
    makers: dict[str, Callable[[], list[Row]]] = {
        "pair": lambda: list(rows_pairs.pairs(passage)),
        "triplet": lambda: list(rows_pairs.triplets(passage, contrast)),
        "qa": lambda: list(rows_pairs.grounded(passage)),
        "pair-class": lambda: _mixed(ask, rows_labels.classified(passage, contrast), _LABELS),
        "pair-score": lambda: _mixed(ask, _by_range(rows_labels.scored(passage, contrast)), None),
    }
    maker = makers.get(ask.text("format"))
    avoided = set(ask.listed("avoid"))
    rows = [row for row in maker() if _brief(row) not in avoided] if maker else []
    return {"rows": json.dumps(rows[: ask.number("count")], ensure_ascii=False)}


def _by_range(rows: list[Row]) -> dict[str, list[Row]]:
    ranges: dict[str, list[Row]] = {}
    for row in rows:
        at = min(int(float(str(row["score"])) * 5), 4)
        ranges.setdefault(f"{at / 5:.1f}-{(at + 1) / 5:.1f}", []).append(row)
    return ranges


def _mixed(
    ask: Ask,
    rows: Mapping[object, list[Row]] | dict[int, list[Row]] | dict[str, list[Row]],
    names: Mapping[str, int] | None,
) -> list[Row]:
    """As many of each label or range as are asked for, those first that were not written yet."""
    avoided, chosen = set(ask.listed("avoid")), list[Row]()
    for line in ask.listed("mix"):
        found = _WANTED.match(line)
        if found is None:
            continue
        key: object = names[found["name"]] if names else found["name"]
        fresh = [row for row in dict(rows).get(key, []) if _brief(row) not in avoided]  # type: ignore[call-overload]
        chosen += fresh[: int(found["count"])]
    return chosen


def _brief(row: Row) -> str:
    """A row as lists of what to avoid have it: its texts, the first 200 characters."""
    return " | ".join(value for value in row.values() if isinstance(value, str))[:200]


def refine_query(ask: Ask) -> Values:
    """The request as it is: it knows nothing that the request does not say."""
    return {"refined_request": ask.text("request"), "topics": "[]", "personas": "[]"}


def judge_row(ask: Ask) -> Values:
    """Whether a row is what its format asks, as far as words tell."""
    return verdicts.judge(ask, rows_judge.score_row, good="Every field is as its format asks.")


SKILLS: dict[str, Callable[[Ask], Values]] = {
    "rows": write_rows,
    "refined_request topics personas": refine_query,
    "acceptable reason": judge_row,
}
