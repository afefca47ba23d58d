"""Asks one predictor all the items of a gold set, as it is bound: its model, prompt and examples.

Items enter, replies leave in their order. Nothing is scored here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dspy

from synth_dspy.errors import EndpointError, RecordError
from synth_dspy.optimize.gold_records import GoldItem


async def ask_all(
    predictor: dspy.Predict, items: Sequence[GoldItem], *, at_once: int
) -> list[dspy.Prediction | None]:
    """The replies, None for one that could not be read.

    Inputs that an item does not have are empty.

    Raises:
        EndpointError: the model does not answer; SynthError: nothing more may be asked.
    """
    gate = asyncio.Semaphore(at_once)
    fields = predictor.signature.input_fields
    absent = {name: "" if info.annotation is str else None for name, info in fields.items()}

    async def one(item: GoldItem) -> dspy.Prediction | None:
        async with gate:
            try:
                reply: dspy.Prediction = await predictor.acall(**{**absent, **item.inputs})
            except EndpointError:
                raise
            except RecordError:
                return None
            return reply

    asked = [asyncio.ensure_future(one(item)) for item in items]
    try:
        return list(await asyncio.gather(*asked))
    finally:
        # The first fault ends all: what is left would meet it, too.
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
