"""What every generator is: contents in, a balanced plan, queries by one call, validated rows out.

A generator of an optimizer says which labels there are and how a row is made of a query. Asking,
checking and counting are here.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import dspy
from pydantic import BaseModel

from signatures.routing import WriteQueries
from synth_dspy.programs.module import StepModule
from synth_dspy.programs.routing.agents import AgentMap
from synth_dspy.programs.routing.plans import Planned, Seed, labels_of, plan
from synth_dspy.sources.backends import Content

RULES, MODEL = "rules", "model"


@dataclass(frozen=True, slots=True)
class Made:
    """What a generator made.

    Attributes:
        rows: as the schema's JSON, in the order of the plan; `asked` of them were ordered.
        queries_by: how many queries `model` and `rules` wrote.
        labels: how many rows each label has.
    """

    rows: list[dict[str, Any]]
    asked: int
    queries_by: dict[str, int]
    labels: dict[str, int]


@dataclass(frozen=True, slots=True)
class Written:
    """One query, and who wrote it: `model`, or `rules` where its reply did not fit the order."""

    query: str
    by: str


class QueryWriter(StepModule):
    """Writes the queries of many orders by one call."""

    def __init__(self) -> None:
        super().__init__()
        self.write_queries = dspy.Predict(WriteQueries)

    async def aforward(self, purpose: str, planned: Sequence[Planned]) -> dspy.Prediction:
        """`written`: one `Written` an order; equal queries are left to whoever has them all."""
        reply = await self.write_queries.acall(
            purpose=purpose, briefs=[one.brief for one in planned]
        )
        said = [str(text).strip() for text in reply.queries[: len(planned)]]
        said += [""] * (len(planned) - len(said))
        return dspy.Prediction(
            written=[
                Written(one.draft, RULES) if one.fault(text) else Written(text, MODEL)
                for one, text in zip(planned, said, strict=True)
            ]
        )


class ExampleGenerator(dspy.Module):
    """Makes an optimizer's examples.

    Args:
        queries_per_call: a larger request is divided into calls that run at once.

    Attributes:
        purpose: what the queries will train, for the model and the selection of profiles.
        modalities_needed: so many different ones, or there is no example.
    """

    purpose: ClassVar[str]
    modalities_needed: ClassVar[int] = 1
    schema: ClassVar[type[BaseModel]]

    def __init__(self, writer: QueryWriter, agents: AgentMap, *, queries_per_call: int) -> None:
        super().__init__()
        self.writer = writer
        self._agents, self._per_call = agents, queries_per_call

    @abstractmethod
    def pools(self, contents: Sequence[Content]) -> Mapping[str, Sequence[Seed]]:
        """What the queries of each label can be made from; labels are balanced."""

    @abstractmethod
    def row(self, planned: Planned, query: str) -> BaseModel:
        """The example of one query."""

    async def aforward(
        self,
        contents: Sequence[Content],
        count: int,
        seed: int,
        pools: Mapping[str, Sequence[Seed]] | None = None,
    ) -> dspy.Prediction:
        """`made`: a `Made` with `count` rows, or with as many as the contents bear.

        Args:
            pools: what `pools(contents)` gave, where that was asked before.

        Raises:
            RecordError, AdmissionError: the model did not answer.
        """
        orders = plan(self.pools(contents) if pools is None else pools, seed, set())
        planned: list[Planned] = []
        while batch := list(islice(orders, min(self._per_call, count - len(planned)))):
            planned += batch
            await asyncio.sleep(0)  # ten thousand examples must not hold up who asked for ten
        replies = await asyncio.gather(
            *(
                self.writer.acall(purpose=self.purpose, planned=planned[at : at + self._per_call])
                for at in range(0, len(planned), self._per_call)
            )
        )
        written = [one for reply in replies for one in reply.written]
        rows, by, kept = [], Counter[str](), list[Planned]()
        for order, one in distinct(planned, written, orders):
            rows.append(self.row(order, one.query).model_dump(mode="json"))
            by[one.by] += 1
            kept.append(order)
            if len(kept) % self._per_call == 0:
                await asyncio.sleep(0)
        return dspy.Prediction(made=Made(rows, count, dict(by), labels_of(kept)))


def distinct(
    planned: Sequence[Planned], written: Sequence[Written], more: Iterator[Planned]
) -> Iterator[tuple[Planned, Written]]:
    """Each order with its query, no query twice: a repeated one gives way to its order's draft, and
    where that is there, too, the order to a further one."""
    seen: set[str] = set()
    for planned_one, written_one in zip(planned, written, strict=True):
        order, one = planned_one, written_one
        if one.query.lower() in seen:
            one = Written(order.draft, RULES)
        while one.query.lower() in seen:
            further = next(more, None)
            if further is None:
                break
            order, one = further, Written(further.draft, RULES)
        if one.query.lower() not in seen:
            seen.add(one.query.lower())
            yield order, one
