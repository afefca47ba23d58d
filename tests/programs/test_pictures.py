"""Pictures reach the steps whose model can see, and only those."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from synth_dspy.programs.module import Role
from synth_dspy.recipes.pictures import LONGEST_SIDE, Pictures
from synth_dspy.records import Candidate, Judgement
from tests.loopback import Loopback
from tests.programs.made import candidate, chunk, image, program, task


def draw(run_dir: Path, size: tuple[int, int] = (40, 30)) -> None:
    (run_dir / "images").mkdir(exist_ok=True)
    Pillow.new("RGB", size, "red").save(run_dir / "images" / "a.png")


def pictured(kind: str = "qa") -> Candidate:
    about = task(kind, modality="multimodal", image_id="i1")
    return candidate(kind, task=about, chunk=chunk(images=(image(),)), answer="It rises first.")


def judged(run_dir: Path, *sees: Role) -> tuple[Judgement, Loopback]:
    async def main(server: Loopback) -> Judgement:
        async with program(run_dir, server, sees=sees, open_picture=Pictures(run_dir)) as made:
            result: Judgement = (await made.judge.acall(candidate=pictured())).judgement
            return result

    with Loopback() as server:
        return asyncio.run(main(server)), server


def images_in(server: Loopback) -> list[dict[str, Any]]:
    return [
        part
        for body in server.bodies
        for message in body["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]


def test_a_judge_that_sees_is_sent_the_picture_and_says_that_it_saw_it(tmp_path: Path) -> None:
    draw(tmp_path)
    judgement, server = judged(tmp_path, "curate")
    assert judgement.image_seen
    (part,) = images_in(server)
    from tests.loopback import read_prompt

    (data,) = read_prompt(server.bodies[0]).images
    with Pillow.open(io.BytesIO(data)) as picture:
        assert picture.size == (40, 30)
        assert picture.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    assert part["image_url"]["url"].startswith("data:image/png;base64,")


def test_a_judge_that_does_not_see_is_not_sent_it_and_says_so(tmp_path: Path) -> None:
    draw(tmp_path)
    judgement, server = judged(tmp_path, "vision", "answer")
    assert not judgement.image_seen
    assert not images_in(server)


def test_a_sample_without_a_picture_has_nothing_to_be_seen(tmp_path: Path) -> None:
    async def main(server: Loopback) -> bool:
        async with program(tmp_path, server, sees=("curate",)) as made:
            reply = await made.judge.acall(candidate=replace(candidate("qa"), answer="It counts."))
            return bool(reply.judgement.image_seen)

    with Loopback() as server:
        assert asyncio.run(main(server))


def test_every_answering_step_that_sees_is_sent_the_picture(tmp_path: Path) -> None:
    draw(tmp_path)

    async def main(server: Loopback, kind: str) -> None:
        async with program(
            tmp_path / kind, server, sees=("answer",), open_picture=Pictures(tmp_path)
        ) as made:
            await made.answer_writer.by_type[kind].acall(candidate=pictured(kind))

    for kind in ("qa", "caption", "function_completion", "code_generation"):
        with Loopback() as server:
            asyncio.run(main(server, kind))
            assert len(images_in(server)) == 1, kind


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    draw(tmp_path, (4000, 1000))
    opened = Pictures(tmp_path)(image())
    assert opened is not None
    from base64 import b64decode

    with Pillow.open(io.BytesIO(b64decode(opened.url.partition(",")[2]))) as picture:
        assert picture.size == (LONGEST_SIDE, LONGEST_SIDE // 4)


def test_an_image_without_a_file_is_no_picture(tmp_path: Path) -> None:
    assert Pictures(tmp_path)(image(path="")) is None
