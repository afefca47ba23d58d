"""embed: dialogues -> the same, with their vectors in the run's file of embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synth_dspy.dataset.embedding import Embed
from synth_dspy.dialogues import Dialogue, Embedded
from synth_dspy.outcomes import Kept, Outcome
from synth_dspy.stages.contract import BarrierStage


class EmbedConversations(BarrierStage[Dialogue, Dialogue]):
    """Embeds what is said, system message left out; in batches, each text once."""

    name, folder, unit = "embed", "embedded", "dialogues"
    aliases = ("stage5",)
    output_type = Dialogue

    def __init__(self, embed: Embed, model: str) -> None:
        self._embed, self._model = embed, model

    def settings(self) -> object:
        return self._model

    def run(self, records: Sequence[Dialogue]) -> Sequence[Outcome]:
        if not records:
            return []
        vectors = self._embed([record.text for record in records])
        made = Embedded(self._model, int(vectors.shape[1]))
        return [Kept((replace(record, embedded=made),)) for record in records]
