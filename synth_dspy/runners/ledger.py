"""What a stage has finished in this run: counts, and the keys in the order of the input.

Some 32 bytes a record, whatever the record: memory is bounded by how many there are, never by what
is in them. Marks and places enter; a tally and keys leave.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from synth_dspy.outcomes import Mark, Tally

Place = tuple[int, ...]
"""Where a record stands in the order of the input: its index, then its index in each fan-out."""

_LEVEL_BITS = 20
_LEVELS = 3
_AT_ONCE = 1 << 14


class Ledger:
    """The finished records of one stage.

    Three fan-outs of up to a million each, one within the other, keep their order; a deeper one
    shares its parent's place.
    """

    def __init__(self, stage: str) -> None:
        self.tally = Tally(stage)
        self._keys = bytearray()
        self._roots = array("q")
        self._paths = array("Q")

    def __len__(self) -> int:
        return len(self._roots)

    def add(self, place: Place, mark: Mark) -> None:
        """Count a record and note its place."""
        self.tally.add(mark)
        self._keys += bytes.fromhex(mark.key)
        self._roots.append(place[0])
        self._paths.append(_path(place) if len(place) > 1 else 0)

    def in_order(self) -> Iterator[str]:
        """The keys, in the order of the input."""
        if not self._roots:
            return
        order = np.lexsort(
            (np.frombuffer(self._paths, np.uint64), np.frombuffer(self._roots, np.int64))
        )
        for start in range(0, len(order), _AT_ONCE):
            for at in order[start : start + _AT_ONCE].tolist():
                yield self._keys[16 * at : 16 * at + 16].hex()


def _path(place: Place) -> int:
    path = 0
    for level in range(_LEVELS):
        at = place[level + 1] if level + 1 < len(place) else 0
        path = (path << _LEVEL_BITS) | min(at, (1 << _LEVEL_BITS) - 1)
    return path
