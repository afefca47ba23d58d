"""Samples, chunks and images made for these tests; every field can be set by name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from PIL import Image as Picture
from PIL import ImageDraw

from synth_dspy.records import Chunk, CodeBlock, Image, QuestionType, Sample, digest

if TYPE_CHECKING:
    from pathlib import Path

CATEGORIES = ("graphs", "statistics", "text_processing")
TYPES: tuple[QuestionType, ...] = ("function_completion", "code_generation", "qa")
_WORDS = """
vector matrix median sample path node edge weight graph window signal noise token word letter
average spread queue stack search order value index table column filter merge count random walk
tree leaf branch root depth cycle bridge cluster centre radius distance cosine angle
"""
WORDS = tuple(_WORDS.split())


def sample(number: int, **changes: Any) -> Sample:
    """A sample whose text no other number shares."""
    pick = random.Random(number)
    words = pick.sample(WORDS, 12)
    kind: QuestionType = changes.pop("type", TYPES[number % 3])
    name = f"{words[0]}_{words[1]}_{number}"
    question, answer, test = _texts(kind, name, words)
    path = f"docs/{words[3]}.md"
    image = changes.pop("image", "")
    fields: dict[str, Any] = {
        "id": digest("sample", number),
        "rank": number,
        "question": question,
        "answer": answer,
        "category": CATEGORIES[number // 3 % 3],
        "type": kind,
        "difficulty": ("easy", "medium", "hard")[number % 3],
        "test_code": test,
        "entry_point": "" if kind == "qa" else name,
        "image": image,
        "has_image": bool(image),
        "code_context": "",
        "source": path,
        "metadata": metadata(path, kind, image, number),
        "chunk_id": f"chunk-{number}",
    }
    return Sample(**(fields | changes))


def metadata(path: str, kind: str, image: str, number: int) -> dict[str, Any]:
    """Provenance as the stages write it."""
    step = {"model": "offline", "program": "", "attempts": 1}
    checked = {
        "isolation": "docker",
        "assurance": "split",
        "tests": 3,
        "mutants_run": 8,
        "mutants_killed": 5 + number % 4,
        "oracle": "recorded",
    }
    return {
        "source": {
            "path": path,
            "sha256": digest(path),
            "span": [number * 100, number * 100 + 99],
            "cells": [],
            "pages": [],
            "revision": "",
        },
        "image": {"sha256": digest(image), "origin": "output", "ref": image} if image else None,
        "steps": {"question": step, "answer": step | {"attempts": 1 + number % 3}},
        "check": None if kind == "qa" else checked,
        "judgement": {
            "passed": True,
            "criteria": {"answers_the_question": True, "grounded": True},
            "reason": "The source says so.",
            "image_seen": False,
        },
    }


def chunk(number: int, **changes: Any) -> Chunk:
    """A chunk that `sample(number)` may have been made from."""
    text = " ".join(random.Random(number).choices(WORDS, k=60 + number % 50 * 4))
    fields: dict[str, Any] = {
        "id": f"chunk-{number}",
        "document_id": f"document-{number % 4}",
        "path": f"docs/{number % 4}.ipynb",
        "source": "docs",
        "kind": "ipynb",
        "sha256": digest("document", number % 4),
        "text": text,
        "start": number * 1000,
        "end": number * 1000 + len(text),
        "quality": ("HIGH", "MEDIUM", "HIGH", "LOW")[number % 4],
        "code_blocks": (CodeBlock("x = 1", "python", 0, 5),),
    }
    return Chunk(**(fields | changes))


def image_record(path: str, **changes: Any) -> Image:
    """The image that `picture` drew at `path`."""
    fields: dict[str, Any] = {
        "id": digest("image", path),
        "sha256": digest(path),
        "mime": "image/png",
        "origin": "output",
        "path": path,
    }
    return Image(**(fields | changes))


def picture(run_dir: Path, name: str, size: tuple[int, int] = (640, 400), mode: str = "RGB") -> str:
    """Draw an image below `run_dir`; returns its path relative to it."""
    path = run_dir / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = Picture.new("RGBA", size, (255, 255, 255, 0))
    pen = ImageDraw.Draw(drawn)
    pick = random.Random(name)
    left, top = 40, size[1] - 40
    points = [
        (left + x * (size[0] - 80) / 20, top - pick.random() * (size[1] - 80)) for x in range(21)
    ]
    pen.line(points, fill=(0, 114, 178, 255), width=4)
    pen.line([(left, 20), (left, top), (size[0] - 20, top)], fill=(60, 60, 60, 255), width=2)
    drawn.convert(mode).save(path)
    return f"images/{name}"


def _texts(kind: QuestionType, name: str, words: list[str]) -> tuple[str, str, str]:
    a, b, c, d, e, f = words[4:10]
    test = (
        "def check(candidate):\n"
        f"    assert candidate([3, 1, 2]) == [1, 2, 3], 'the {a} must be in order'\n"
        "    assert candidate([]) == []\n"
    )
    body = f"    {a} = list({b})  # the {c}\n    {a}.sort()\n    return {a}\n"
    if kind == "function_completion":
        stub = (
            f"import math\n\n\ndef {name}({b}):\n"
            f'    """Put the {a} of the {c} and the {d} in {e} order.\n\n'
            f"    >>> {name}([3, 1, 2])\n    [1, 2, 3]\n"
            f'    """\n    pass\n'
        )
        return stub, body, test
    if kind == "code_generation":
        ask = (
            f"Write a function `{name}` that takes the {a} of a {c} and puts the {d} in {e} order, "
            f"as the {f} needs it."
        )
        return ask, f"import math\n\n\ndef {name}({b}):\n{body}", test
    because = (
        f"Because the {d} sets the {e}, and the {a} follows from it:\n\n"
        f"```python\n{a} = {b}({name!r})\n```\n\nThe {f} is the rest."
    )
    ask = f"Why does the {a} of a {c} depend on the {d} when the {e} is given as in `{name}`?"
    return ask, because, ""
