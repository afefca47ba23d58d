"""What is to be asked of which content: orders for queries, balanced by label, no two alike.

Contents enter, `Planned` orders leave: a label, the records, the brief of the query, and a draft of
it by rules. All is decided by the seed. A label's turn is passed over once its content bears no
further query, and a plan that ends early says so by its length.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from signatures.routing import QueryBrief
from synth_dspy.lm.offline.routing_queries import forms, query
from synth_dspy.programs.routing.patterns import patterns_of
from synth_dspy.sources.backends import Content

MAX_QUERY_CHARS = 400


@dataclass(frozen=True, slots=True)
class Seed:
    """What queries of one label can be made from.

    Attributes:
        contents: the record that answers, and for two modalities the second one after it.
        intent: search, summarize, report or compare.
        needs_entity: the query must hold a name.
    """

    contents: tuple[Content, ...]
    intent: str = "search"
    needs_entity: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """An order for one example.

    Attributes:
        draft: its query by rules; taken where a model's does not keep to the order.
    """

    label: str
    contents: tuple[Content, ...]
    about: str
    mention: tuple[str, ...]
    when: str
    intent: str
    form: int
    draft: str

    @property
    def brief(self) -> QueryBrief:
        """What a model is told of it."""
        return QueryBrief(
            about=self.about,
            mention=list(self.mention),
            when=self.when,
            modality=self.contents[0].modality,
            second_modality=self.contents[1].modality if len(self.contents) > 1 else "",
            intent=self.intent,
            form=self.form,
        )

    def fault(self, text: str) -> str:
        """What is wrong with a query for this order; "" when nothing is."""
        if not text or "\n" in text or len(text) > MAX_QUERY_CHARS:
            return "not_one_line"
        lower = text.lower()
        names = (*self.mention, *([self.when] if self.when else ()))
        return "" if all(name.lower() in lower for name in names) else "name_missing"


def plan(pools: Mapping[str, Sequence[Seed]], seed: int, taken: set[str]) -> Iterator[Planned]:
    """Orders without end, until no label bears another; labels take turns.

    Args:
        pools: by label.
        taken: queries in lower case that must not be made again; it grows.
    """
    chance = random.Random(seed)
    turns = {label: _Turn(label, seeds, chance) for label, seeds in pools.items() if seeds}
    while turns:
        for label in list(turns):
            made = turns[label].next(taken)
            if made is None:
                del turns[label]
            else:
                yield made


@dataclass(slots=True)
class _Turn:
    """One label's content, in an order by lot, each record's variations in an order by lot."""

    label: str
    seeds: Sequence[Seed]
    chance: random.Random
    _order: list[Seed] = field(init=False)
    _variations: dict[int, Iterator[Planned]] = field(init=False, default_factory=dict)
    _at: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._order = list(self.seeds)
        self.chance.shuffle(self._order)

    def next(self, taken: set[str]) -> Planned | None:
        while self._order:
            self._at %= len(self._order)
            one = self._order[self._at]
            if id(one) not in self._variations:
                self._variations[id(one)] = _variations(self.label, one, self.chance.random())
            for planned in self._variations[id(one)]:
                key = planned.draft.lower()
                if key not in taken:
                    taken.add(key)
                    self._at += 1
                    return planned
            self._order.pop(self._at)
        return None


def _variations(label: str, seed: Seed, lot: float) -> Iterator[Planned]:
    """Every combination of topic, names, date and form once; neighbours differ in all of them."""
    first = patterns_of(seed.contents[0])
    mentions = _mentions(seed)
    if seed.needs_entity and not any(mentions):
        return
    second = seed.contents[1].modality if len(seed.contents) > 1 else ""
    modality = seed.contents[0].modality
    whens = ("", *first.dates[:2])
    choices: tuple[Sequence[object], ...] = (
        first.topics, mentions, range(forms(modality, seed.intent)), whens,
    )  # fmt: skip
    size = math.prod(map(len, choices))
    start, step = int(lot * size), _coprime(int(size * 0.618) or 1, size)
    for turn in range(size):
        at = (start + turn * step) % size
        chosen = []
        for options in choices:
            at, index = divmod(at, len(options))
            chosen.append(options[index])
        about, mention, form, when = chosen
        assert isinstance(about, str)
        assert isinstance(mention, tuple)
        assert isinstance(form, int)
        assert isinstance(when, str)
        draft = query(about, mention, when, modality, second, seed.intent, form)
        yield Planned(label, seed.contents, about, mention, when, seed.intent, form, draft)


def _mentions(seed: Seed) -> list[tuple[str, ...]]:
    """Names for one query: two that go together, one, or none where none is needed."""
    first = patterns_of(seed.contents[0])
    shared = [
        tuple(e for e in first.entities if e in patterns_of(other).entities)
        for other in seed.contents[1:]
    ]
    names = shared[0] if shared else first.entities
    pairs = [pair for pair in first.relations if set(pair) <= set(names)]
    options: list[tuple[str, ...]] = [*pairs, *((name,) for name in names)]
    return options if options and seed.needs_entity else [*options, ()]


def _coprime(near: int, size: int) -> int:
    """The first number from `near` on that shares no factor with `size`."""
    while math.gcd(near, size) != 1:
        near += 1
    return near


def labels_of(planned: Sequence[Planned]) -> dict[str, int]:
    """How many orders each label has."""
    return dict(sorted(Counter(one.label for one in planned).items()))
