"""sample-content, select-profiles, plan-examples, generate-examples: content -> examples.

Each is a map stage, so each is resumed from its journal; the model is asked in the second (when it
selects profiles) and in the fourth, once a batch.
"""

from __future__ import annotations

import asyncio
from itertools import islice

from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.programs.routing.generator import ExampleGenerator, QueryWriter
from synth_dspy.programs.routing.plans import plan
from synth_dspy.programs.routing.profiles import ProfileSelector
from synth_dspy.programs.routing.records import Batch, Draw, Example, Sampled, Selected
from synth_dspy.sources.backends import ContentBackend
from synth_dspy.sources.backends.orders import merged
from synth_dspy.stages.contract import MapStage


class SampleContent(MapStage[Draw, Sampled]):
    """Draws records from the backend."""

    name, folder, unit = "sample-content", "sampled", "draws"
    output_type = Sampled

    def __init__(self, backend: ContentBackend) -> None:
        self._backend = backend

    def settings(self) -> object:
        return self._backend.name

    async def process(self, record: Draw) -> Outcome:
        drawn = [await asyncio.to_thread(self._backend.sample, order) for order in record.orders]
        contents = merged(drawn)
        if not contents:
            tenant = record.orders[0].tenant
            return Dropped("no_content", f"the tenant {tenant!r} has none for these strategies")
        return Kept((Sampled(record, tuple(contents)),))


class SelectProfiles(MapStage[Sampled, Selected]):
    """Selects profiles, and keeps the records of their modalities."""

    name, folder, unit = "select-profiles", "selected", "samples"
    output_type = Selected

    def __init__(
        self, selector: ProfileSelector, task: str, needed: int, maximum: int, settings: object
    ) -> None:
        self._selector, self._settings = selector, settings
        self._task, self._needed, self._maximum = task, needed, maximum

    def settings(self) -> object:
        return (self._settings, self._task, self._needed, self._maximum)

    async def process(self, record: Sampled) -> Outcome:
        chosen = await self._selector.select_profiles(self._task, self._maximum, self._needed)
        contents = tuple(c for c in record.contents if c.modality in chosen.modalities)
        if not contents:
            return Dropped("no_content", f"no record is {' or '.join(chosen.modalities)}")
        return Kept((Selected(record.draw, contents, chosen.profiles, chosen.reasoning),))


class PlanExamples(MapStage[Selected, Batch]):
    """Plans the queries, balanced by label, and divides them into calls."""

    name, folder, unit = "plan-examples", "planned", "selections"
    output_type = Batch

    def __init__(
        self, generator: ExampleGenerator, *, count: int, per_call: int, seed: int, settings: object
    ) -> None:
        self._generator, self._settings = generator, settings
        self._count, self._per_call, self._seed = count, per_call, seed

    def settings(self) -> object:
        return (self._settings, self._count, self._per_call, self._seed)

    async def process(self, record: Selected) -> Outcome:
        orders = plan(self._generator.pools(record.contents), self._seed, set())
        planned = tuple(islice(orders, self._count))
        if not planned:
            return Dropped("no_examples", "the sampled content bears no query of any label")
        return Kept(
            tuple(
                Batch(record.draw.optimizer, number, planned[at : at + self._per_call])
                for number, at in enumerate(range(0, len(planned), self._per_call))
            )
        )


class GenerateExamples(MapStage[Batch, Example]):
    """Writes a batch's queries by one call, and makes a row of each."""

    name, folder, unit = "generate-examples", "generated", "batches"
    output_type = Example

    def __init__(
        self,
        generator: ExampleGenerator,
        writer: QueryWriter,
        *,
        per_call: int,
        settings: object,
        concurrency: int = 16,
    ) -> None:
        self.concurrency = concurrency
        self._generator, self._writer, self._settings = generator, writer, settings
        self._per_call = per_call

    def settings(self) -> object:
        return (self._settings, self._per_call)

    async def process(self, record: Batch) -> Outcome:
        reply = await self._writer.acall(purpose=self._generator.purpose, planned=record.planned)
        return Kept(
            tuple(
                Example(
                    rank=record.number * self._per_call + place,
                    optimizer=record.optimizer,
                    label=order.label,
                    query=one.query,
                    row=self._generator.row(order, one.query).model_dump(mode="json"),
                    source=order.contents[0].id,
                    query_by=one.by,
                )
                for place, (order, one) in enumerate(
                    zip(record.planned, reply.written, strict=True)
                )
            )
        )
