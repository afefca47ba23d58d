"""How people's messages come to look: typed on a phone, dictated, in lower case, with typos.

A text, the names of a modality and a variation, and a key enter; the changed text leaves. Equal
input gives equal output. Numbers and names are never changed, only their capitals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from synth_dspy.records import digest

_SHORT = {
    "you": "u", "are": "r", "please": "pls", "thanks": "thx", "because": "bc", "with": "w/",
    "about": "abt", "tomorrow": "tmrw", "for": "4", "to": "2", "before": "b4", "your": "ur",
    "message": "msg", "information": "info", "and": "&", "really": "rly", "people": "ppl",
}  # fmt: skip
# Digits for words would read as numbers that nobody said.
_SHORT = {long: short for long, short in _SHORT.items() if not any(c.isdigit() for c in short)}
_FILLERS = ("um ", "okay so ", "uh ", "well ", "so ", "um so ")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_TYPO_WORDS = 6
"""A typo in about one of so many longer words."""

Change = Callable[[str, str], str]
"""A text and a key to the changed text."""


def _same(text: str, _key: str) -> str:
    return text


def _lowercase(text: str, _key: str) -> str:
    return text.lower()


def _no_punctuation(text: str, _key: str) -> str:
    # Points and commas inside numbers and addresses stay.
    return " ".join(re.sub(r"[.,;:!?…]+(?=\s|$)|[\"“”]|\s[\u2013\u2014-]\s", " ", text).split())


def _abbreviations(text: str, _key: str) -> str:
    return _WORD.sub(lambda m: _SHORT.get(m[0].lower(), m[0]), text)


def _typos(text: str, key: str) -> str:
    """Two inner letters change places, in some of the longer words; a word with a capital stays."""

    def changed(found: re.Match[str]) -> str:
        word = found[0]
        chance = int(digest(key, found.start(), word)[:8], 16)
        if len(word) < 5 or not word.islower() or chance % _TYPO_WORDS:
            return word
        at = 1 + chance // _TYPO_WORDS % (len(word) - 3)
        return f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"

    return _WORD.sub(changed, text)


def _phone(text: str, key: str) -> str:
    """No capital at the start, no apostrophes, mostly no full stop at the end."""
    if len(text) > 1 and not text[1].isupper():
        text = text[0].lower() + text[1:]
    text = re.sub(r"\bI\b", "i", text)
    text = re.sub(r"(?<=[A-Za-z])['\u2019](?=[a-z])", "", text)
    return text.rstrip(".?!") if int(digest(key)[:2], 16) % 4 else text


def _voice(text: str, key: str) -> str:
    """No marks, no capitals but in names' places, and a word to think by."""
    filler = _FILLERS[int(digest(key, "voice")[:4], 16) % len(_FILLERS)]
    return filler + _no_punctuation(text, key).lower()


VARIATIONS: Mapping[str, Change] = {
    "none": _same,
    "lowercase": _lowercase,
    "no_punctuation": _no_punctuation,
    "abbreviations": _abbreviations,
    "typos": _typos,
}
MODALITIES: Mapping[str, Change] = {
    "standard": _same,
    "typed_on_phone": _phone,
    "voice_dictated": _voice,
}


def varied(text: str, *, modality: str, variation: str, key: str) -> str:
    """`text` as it comes in by that modality, with that variation; as it is when nothing is left.

    Args:
        key: decides what is drawn by lot; the message's own place.
    """
    changed = MODALITIES[modality](VARIATIONS[variation](text, key), key).strip()
    return changed or text
