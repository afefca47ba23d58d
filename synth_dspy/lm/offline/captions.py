"""Describes a figure for readers with what its transcription tells of it.

An order and a description enter, sentences leave: what kind of figure it is with its title and
axes, then what was said of it. Without anything of that there is no caption.
"""

from __future__ import annotations

import re

from synth_dspy.lm.offline import figures, pair

_QUOTING = re.compile(r"^Its (?:caption|alternative text) reads ")
_TELLING = re.compile(r'titled "|axis|drawn from')
_SENTENCES = {"one or two": 2, "two to four": 4}
_MOST = 6


def caption(order: str, description: str) -> str:
    """The caption; "" when the description does not tell what the figure shows."""
    told = list(dict.fromkeys(s.text for s in figures.told(description).sentences))
    opening = [s for s in told[:2] if re.match(r"An? \w", s) and _TELLING.search(s)]
    rest = [s for s in told if s not in opening and not _QUOTING.match(s)]
    said = [s for s in rest if not figures.NUMBERED.match(s) and _stands(s)]
    alt = re.search(r'alternative text reads "([^"]{30,})"', description)
    if not said and alt:
        said = [f"{alt[1][0].upper()}{alt[1][1:].rstrip('.')}."]
    if not said:
        return ""
    most = next((n for words, n in _SENTENCES.items() if words in order), _MOST)
    return " ".join([*opening, *said][:most])


def _stands(sentence: str) -> bool:
    # "Its legend names ..." follows the sentence that names the figure.
    return sentence.startswith("Its ") or pair.stands_alone(sentence, figure=True)
