"""What the two code types share: which chunks hold functions, and how many tasks these bear."""

from __future__ import annotations

from synth_dspy.programs.types.contract import MOST_ON_AN_IMAGE, worth
from synth_dspy.records import Chunk, Image


def suits(chunk: Chunk, image: Image | None) -> float:
    """0 without a function to ask for, else better with more of them."""
    functions = functions_in(chunk)
    if image is not None:
        functions = functions or (1 if image.code and "def " in chunk.prior_code else 0)
    if not functions:
        return 0.0
    return worth(chunk, image) + min(functions, 4) / 4


def bears(chunk: Chunk, image: Image | None) -> int:
    """A task for each function; two for an image."""
    return MOST_ON_AN_IMAGE if image is not None else max(1, functions_in(chunk))


def functions_in(chunk: Chunk) -> int:
    """Python functions that the chunk defines."""
    return sum(
        line.startswith(("def ", "async def "))
        for block in chunk.code_blocks
        for line in block.code.splitlines()
    )
