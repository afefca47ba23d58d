"""English words for numbers, in order: what a text may write in place of digits."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """The words of a list that is kept as text."""
    return tuple(text.split())


UNITS = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
"""Zero to nineteen; a word's place is its value."""

TENS = {
    word: 10 * at
    for at, word in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
