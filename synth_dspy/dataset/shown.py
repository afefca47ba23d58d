"""How a record of any recipe is shown in a report: the seam between records and the page.

A recipe turns its records into `Shown`, one function a record type; figures (row_statistics.py) and
the page (report.py) know nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ACCEPTED, REJECTED = "accepted", "rejected"


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said in a conversation: by whom (`user`, `assistant`, `system`, ...), and what."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Part:
    """One section of a shown record.

    Attributes:
        title: above it; "" for none.
        kind: `prose` is text with fences and `code`; `code` Python; `plain` as it is, in type of
            one width; `turns` a conversation, as bubbles.
        text: what is shown; of a conversation `turns` instead.
        folded: closed until somebody opens it.
    """

    title: str
    kind: Literal["prose", "code", "plain", "turns"]
    text: str = ""
    turns: tuple[Turn, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as people browse it.

    Attributes:
        title: one line for the list; `code` when it is code.
        facets: what may be filtered by and is shown as badges, name -> value; an empty value is
            left out. `type`, `category`, `split`, `modality`, `difficulty` and `source` have plots.
        parts: what it says, in order.
        source: relative path of what it was made from, or a few words.
        image: path of its picture relative to the run directory, "" for none.
        metadata: provenance; shown on a click.
        stage, reason, detail: where and why it was rejected; "" of what was accepted.
        errors: every report before the last attempt, oldest first.
    """

    id: str
    title: str
    facets: Mapping[str, str]
    parts: tuple[Part, ...]
    source: str = ""
    image: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    code: bool = False
    stage: str = ""
    reason: str = ""
    detail: str = ""
    errors: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """`accepted` or `rejected`."""
        return REJECTED if self.reason else ACCEPTED
