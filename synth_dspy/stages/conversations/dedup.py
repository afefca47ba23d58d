"""dedup: embedded dialogues -> those that repeat none of a lower rank, by cosine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synth_dspy.dataset.embedding import Embed
from synth_dspy.dataset.semantic import SemanticBlocks
from synth_dspy.dialogues import Dialogue
from synth_dspy.outcomes import Dropped, Kept, Outcome
from synth_dspy.stages.contract import BarrierStage


class DedupConversations(BarrierStage[Dialogue, Dialogue]):
    """Products are taken in blocks, so memory is bounded."""

    name, folder, unit = "dedup", "deduplicated", "dialogues"
    aliases = ("stage6",)
    output_type = Dialogue

    def __init__(self, embed: Embed, model: str, threshold: float) -> None:
        self._embed, self._model, self._threshold = embed, model, threshold

    def settings(self) -> object:
        return (self._model, self._threshold)

    def run(self, records: Sequence[Dialogue]) -> Sequence[Outcome]:
        if not records:
            return []
        order = sorted(range(len(records)), key=lambda at: (records[at].task.rank, records[at].id))
        blocks = SemanticBlocks(self._embed([records[at].text for at in order]), self._threshold)
        kept = np.ones(len(records), dtype=bool)
        outcomes: list[Outcome] = [Kept((record,)) for record in records]
        for place, at in enumerate(order):
            found = blocks.nearest(place, kept)
            if found is not None:
                kept[place] = False
                like, similarity = records[order[found[0]]].id, found[1]
                detail = f"cosine {similarity:.3f} with {like}"
                outcomes[at] = Dropped("duplicate", detail, records[at])
        return outcomes
