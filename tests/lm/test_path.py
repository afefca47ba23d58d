"""The whole path over a real socket: signature, adapter, durable engine, server."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import dspy
import PIL.Image

from tests.lm.conftest import Ask, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.loopback import Loopback


class Describe(dspy.Signature):
    """Describe the image."""

    context: str = dspy.InputField()
    image: dspy.Image | None = dspy.InputField()
    description: str = dspy.OutputField()


def test_a_predictor_gets_the_fields_that_the_server_filled(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    async def main() -> str:
        async with make_models(endpoint(loopback.url)) as models:
            predict = dspy.Predict(Ask)
            result = await predict.acall(question="What is up?", lm=models.lm("answer"))
            return str(result.answer)

    assert asyncio.run(main()) == "Some answer."
    assert loopback.bodies[0]["model"] == "test-model"
    assert loopback.bodies[0]["max_tokens"] == 100


def test_a_synchronous_call_works_through_the_bridge(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    async def main() -> str:
        async with make_models(endpoint(loopback.url)) as models:
            predict, lm = dspy.Predict(Ask), models.lm("answer")
            result = await asyncio.to_thread(predict, question="What is up?", lm=lm)
            return str(result.answer)

    assert asyncio.run(main()) == "Some answer."


def test_the_server_receives_the_very_pixels_of_an_image(
    loopback: Loopback, make_models: Callable[..., Any]
) -> None:
    picture = PIL.Image.new("RGB", (5, 3), (10, 200, 30))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")

    async def main() -> None:
        async with make_models(endpoint(loopback.url)) as models:
            await dspy.Predict(Describe).acall(
                context="A green patch.",
                image=dspy.Image(buffer.getvalue()),
                lm=models.lm("answer"),
            )

    asyncio.run(main())
    parts = loopback.bodies[0]["messages"][-1]["content"]
    from tests.loopback import read_prompt

    (raw,) = read_prompt(loopback.bodies[0]).images
    seen = PIL.Image.open(io.BytesIO(raw))
    assert (seen.size, seen.getpixel((2, 1))) == ((5, 3), (10, 200, 30))
    assert [p["type"] for p in parts] == ["text", "image_url", "text"]


def test_an_image_field_may_be_none(loopback: Loopback, make_models: Callable[..., Any]) -> None:
    async def main() -> None:
        async with make_models(endpoint(loopback.url)) as models:
            await dspy.Predict(Describe).acall(
                context="No picture.", image=None, lm=models.lm("answer")
            )

    asyncio.run(main())
    assert isinstance(loopback.bodies[0]["messages"][-1]["content"], str)
