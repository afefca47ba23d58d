"""The keys that a server may send back: hidden before a reply or an error is stored or shown.

Keys enter, texts without them leave. Servers quote keys in errors and, seldom, in replies; whatever
path a reply came on, `DurableEngine` hides them before anything is written.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dspy import lm15

HIDDEN = "***"

_SECRET_CHARS = 16  # local servers are given a word as key ("EMPTY"), which replies may well hold
_IN_ERRORS_CHARS = 8  # an error may do without a word, and may quote the short key of such a server


class Keys:
    """What must not be written; words too short to be a secret are left alone.

    A reply is data, so only what has 16 characters is hidden in it; in an error, what has 8.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        found = {key.strip() for key in keys}
        # The longest first: a key may be the beginning of another.
        long = (key for key in found if len(key) >= _IN_ERRORS_CHARS)
        self._keys = tuple(sorted(long, key=lambda key: (-len(key), key)))
        self._secret = tuple(key for key in self._keys if len(key) >= _SECRET_CHARS)

    def __repr__(self) -> str:
        return f"Keys({len(self._keys)} hidden)"

    def hide(self, text: str) -> str:
        """A reply's text with `***` in place of every key."""
        return _without(text, self._secret)

    def hide_in(self, error: lm15.LM15Error) -> None:
        """The same for what an error says."""
        error.message = _without(error.message, self._keys)
        error.args = tuple(_without(a, self._keys) if isinstance(a, str) else a for a in error.args)


def _without(text: str, keys: Iterable[str]) -> str:
    for key in keys:
        text = text.replace(key, HIDDEN)
    return text


def keys_in_environment() -> Keys:
    """Those that a provider's own client may find where an endpoint has no key."""
    return Keys(value for name, value in os.environ.items() if name.endswith("_API_KEY"))
