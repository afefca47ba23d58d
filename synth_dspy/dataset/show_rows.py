"""Rows of any format as a report shows them: a part a field.

Columns and metadata enter, a `Shown` leaves. It knows no recipe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_dspy.dataset.shown import Part, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping


def show_row(
    id_: str,
    values: Mapping[str, Any],
    *,
    facets: Mapping[str, str],
    metadata: Mapping[str, Any],
    source: str = "",
    rejected: tuple[str, str, str] = ("", "", ""),
) -> Shown:
    """A row.

    Args:
        values: the format's fields, in order.
        rejected: stage, reason and detail of one that was not accepted.
    """
    first = next((v for v in values.values() if isinstance(v, str) and v.strip()), "(no text)")
    stage, reason, detail = rejected
    return Shown(
        id=id_,
        title=first.strip(),
        facets=dict(facets),
        parts=tuple(
            Part(name, "plain", "" if value is None else str(value))
            for name, value in values.items()
        ),
        source=source,
        metadata=metadata,
        stage=stage,
        reason=reason,
        detail=detail,
    )
