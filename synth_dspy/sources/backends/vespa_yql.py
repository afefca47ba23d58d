"""The six sampling strategies as YQL, with what YQL cannot say: which of the hits, by seed.

A query's parts enter, its text leaves; hits and groups enter, records in a seed's order leave.
Vespa orders by attributes only, so a strategy asks for a bounded pool, and the lot decides here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, zip_longest

from synth_dspy.sources.backends.contract import Content

Names = Mapping[str, str]
"""What each of our fields is called in the schema."""


def where(names: Names, tenant: str, *more: str) -> str:
    """The condition of a tenant's records, with further ones."""
    return " and ".join([f"{names['tenant']} contains {_quoted(tenant)}", *more])


def hits(schema: str, condition: str, order: str = "") -> str:
    """Records that meet a condition; which of them is the request's `hits` and `offset`."""
    return f"select * from {schema} where {condition}" + (f" order by {order}" if order else "")


def of_modality(names: Names, modality: str) -> str:
    """The condition that a record has a modality."""
    return f"{names['modality']} contains {_quoted(modality)}"


def since(names: Names, seconds: int) -> str:
    """The condition that a record is not older; seconds since 1970."""
    return f"{names['created_at']} >= {seconds}"


def grouped(schema: str, condition: str, field: str, groups: int, each: int) -> str:
    """Up to `each` records of up to `groups` values of a field."""
    return (
        f"select * from {schema} where {condition} limit 0 | "
        f"all(group({field}) max({groups}) order(-count()) "
        f"each(max({each}) each(output(summary()))))"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def by_lot(contents: Iterable[Content], seed: int) -> list[Content]:
    """Records in a seed's order, each once."""
    unique = {content.id: content for content in contents}
    return sorted(unique.values(), key=lambda content: _lot(content.id, seed))


def in_turns(strata: Mapping[str, Sequence[Content]], seed: int, size: int) -> list[Content]:
    """The first of each stratum, then the second of each, until there are `size`."""
    order = sorted(strata, key=lambda name: _lot(name, seed))
    turns = zip_longest(*(by_lot(strata[name], seed) for name in order))
    return [content for turn in turns for content in turn if content is not None][:size]


def sequences(by_name: Mapping[str, Sequence[Content]], seed: int, size: int) -> list[Content]:
    """What was made about one subject in two modalities or more, oldest first."""
    found: list[Content] = []
    for name in sorted(by_name, key=lambda name: _lot(name, seed)):
        members = by_lot(by_name[name], seed)
        if len({content.modality for content in members}) > 1:
            ordered = sorted(members, key=lambda content: (content.created_at, content.id))
            found += [_in_group(content, name) for content in ordered]
    return found[:size]


def pairs(by_name: Mapping[str, Sequence[Content]], seed: int, size: int) -> list[Content]:
    """Two records of different modalities for each pair that a subject offers."""
    found: list[Content] = []
    for name in sorted(by_name, key=lambda name: _lot(name, seed)):
        first: dict[str, Content] = {}
        for content in by_lot(by_name[name], seed):
            first.setdefault(content.modality, content)
        for one, other in combinations(sorted(first), 2):
            place = f"{name}/{one}+{other}"
            found += [_in_group(first[one], place), _in_group(first[other], place)]
    return found[: size // 2 * 2 or 2]


def _in_group(content: Content, group: str) -> Content:
    return Content(
        content.id, content.modality, content.title, content.description, content.transcript,
        content.created_at, content.entities, group,
    )  # fmt: skip


def _lot(name: str, seed: int) -> bytes:
    return hashlib.blake2b(name.encode(), key=str(seed).encode()[:64], digest_size=8).digest()
