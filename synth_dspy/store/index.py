"""Where the last line of each key begins: 16 bytes a key, so a million keys are 16 MB.

Keys (32 hex characters) and offsets enter; offsets leave. Most entries lie in two sorted arrays;
new ones in a small dictionary that is merged into them when it has grown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_RECENT = 1 << 16


class OffsetIndex:
    """A map from keys to offsets in bytes, in which the last one given wins.

    Only the first 64 bits of a key are kept: two keys of a million share them once in 37 million
    files, and whoever reads a line sees the whole key and can tell.
    """

    def __init__(self) -> None:
        self._keys: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._offsets: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._recent: dict[int, int] = {}

    def __len__(self) -> int:
        """Distinct keys."""
        self._merge()
        return len(self._keys)

    def __setitem__(self, key: str, offset: int) -> None:
        self._recent[int(key[:16], 16)] = offset
        if len(self._recent) > max(_RECENT, len(self._keys) >> 3):
            self._merge()

    def get(self, key: str) -> int | None:
        """The offset of a key, or None."""
        short = int(key[:16], 16)
        if (offset := self._recent.get(short)) is not None:
            return offset
        at = int(np.searchsorted(self._keys, np.uint64(short)))
        if at < len(self._keys) and int(self._keys[at]) == short:
            return int(self._offsets[at])
        return None

    def _merge(self) -> None:
        if not self._recent:
            return
        count = len(self._recent)
        new_keys = np.fromiter(self._recent.keys(), np.uint64, count)
        new_offsets = np.fromiter(self._recent.values(), np.int64, count)
        self._recent = {}
        # The newest come first, and `unique` keeps the first of each key.
        keys = np.concatenate([new_keys, self._keys])
        offsets = np.concatenate([new_offsets, self._offsets])
        self._keys, first = np.unique(keys, return_index=True)
        self._offsets = offsets[first]
