"""What a map stage made, read from its journal each time it is gone through.

Enters: a workbench, a stage and its ledger. Leaves: the stage's output records in the order of its
input, one at a time: memory holds what was finished, never what is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from synth_dspy.errors import StoreError
from synth_dspy.outcomes import Kept
from synth_dspy.runners.ledger import Ledger
from synth_dspy.runners.workbench import Workbench
from synth_dspy.stages.contract import Stage


class Made(Collection[Any]):
    """The output records of one run of a stage."""

    def __init__(self, bench: Workbench, stage: Stage, ledger: Ledger) -> None:
        self._bench, self._stage, self._ledger = bench, stage, ledger

    def __len__(self) -> int:
        return self._ledger.tally.outputs

    def __iter__(self) -> Iterator[Any]:
        """Go through the records.

        Raises:
            StoreError: the journal was changed or taken away since the stage ended.
        """
        journal = self._bench.journal(self._stage)
        for key in self._ledger.in_order():
            entry = journal.get(key)
            if entry is None:
                raise StoreError(
                    f"{journal.path} no longer holds what `{self._stage.name}` finished (key "
                    f"{key}); nothing may change it during a run. Run the same command again."
                )
            outcome = self._bench.revive(self._stage, entry.outcome)
            if isinstance(outcome, Kept):
                yield from outcome.outputs

    def __contains__(self, record: object) -> bool:
        return any(record == made for made in self)
